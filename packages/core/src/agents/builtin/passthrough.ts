import { randomUUID } from 'node:crypto';
import PQueue from 'p-queue';
import { type Agent, type AgentEnd, type AgentTurn, type ChatMessage, lastUserText, textOfMessage } from '../agent.ts';
import { limitAt, resultText, stopAt } from '../loop.ts';
import { PendingPlans } from './pending-plans.ts';
import { type Plan, Planner, plannerPrompt } from './plan.ts';

/** A result that ends with this word is the answer, as it is. */
const directResponse = 'DIRECT_RESPONSE';

/**
 * A planner and an executor. The model plans calls as structured output; those of tools with `passthrough` are run at
 * once, for others the person is asked first, and a yes runs exactly the calls that were shown. A result that ends with
 * `DIRECT_RESPONSE` is the answer.
 */
export function passthroughAgent(): Agent {
  const pending = new PendingPlans();
  return {
    name: 'passthrough_agent',
    description: 'Plans its calls, runs those that need no asking, and asks before the others.',
    run: (turn) => planAndExecute(turn, pending),
  };
}

async function planAndExecute(turn: AgentTurn, pending: PendingPlans): Promise<AgentEnd> {
  const messages: ChatMessage[] = [plannerPrompt(turn), ...turn.preamble, ...turn.messages];
  const planner = new Planner(turn);
  const agreed = agreedPlan(turn, pending);
  if (agreed) {
    const results = [...agreed.results, ...(await execute(turn, agreed.calls))];
    const direct = directAnswer(results);
    if (direct !== undefined) return answer(turn, direct);
    messages.push(resultsMessage(results));
  }
  let tokens = 0;
  for (let step = 1; ; step++) {
    const { plan, answer: said } = await planner.next(messages);
    tokens += said.usage.total_tokens;
    if (plan.calls.length === 0) return answer(turn, plan.answer ?? '');
    const forClient = clientCalls(turn, plan);
    if (forClient.length > 0) return { finish: 'tool_calls', toolCalls: forClient };
    const limit = limitAt(turn, step, tokens);
    if (limit !== undefined) return stopAt(turn, limit);
    const needsNoAsking = (call: Plan['calls'][number]) => mayRun(turn, call.tool);
    const results = await execute(turn, plan.calls.filter(needsNoAsking));
    const direct = directAnswer(results);
    if (direct !== undefined) return answer(turn, direct);
    const toAsk = plan.calls.filter((call) => !needsNoAsking(call));
    if (toAsk.length > 0) return ask(turn, toAsk, pending.keep({ agent: turn.agent, calls: toAsk, results }));
    messages.push(resultsMessage(results));
  }
}

interface CallResult {
  readonly tool: string;
  readonly arguments: string;
  readonly result: string;
}

async function execute(turn: AgentTurn, calls: Plan['calls']): Promise<CallResult[]> {
  const queue = new PQueue({ concurrency: turn.limits.max_parallel_calls });
  return Promise.all(
    calls.map((call) =>
      queue.add(async () => ({ ...call, result: await resultText(turn, call.tool, call.arguments) })),
    ),
  );
}

/** A tool that is not there needs no asking either: the planner hears that it is not. */
function mayRun({ tools }: AgentTurn, name: string): boolean {
  return tools.find((tool) => tool.name === name)?.passthrough ?? true;
}

function directAnswer(results: readonly object[]): string | undefined {
  for (const result of results) {
    const text = 'result' in result && typeof result.result === 'string' ? result.result.trimEnd() : '';
    if (text.endsWith(directResponse)) return text.slice(0, -directResponse.length).trimEnd();
  }
  return undefined;
}

function resultsMessage(results: readonly object[]): ChatMessage {
  return { role: 'user', content: `Results of the calls: ${JSON.stringify(results)}\nGo on with the plan.` };
}

function answer(turn: AgentTurn, text: string): AgentEnd {
  turn.say(text);
  return { finish: 'stop' };
}

function clientCalls(turn: AgentTurn, { calls }: Plan): NonNullable<AgentEnd['toolCalls']>[number][] {
  const names = new Set(turn.clientTools.map((tool) => tool.function.name));
  return calls
    .filter((call) => names.has(call.tool))
    .map((call) => ({
      id: `call_${randomUUID().replaceAll('-', '')}`,
      type: 'function',
      function: { name: call.tool, arguments: call.arguments },
    }));
}

function ask(turn: AgentTurn, calls: Plan['calls'], id: string): AgentEnd {
  const lines = calls.map((call) => `- ${call.tool} ${call.arguments}`).join('\n');
  return answer(
    turn,
    `I would like to run:\n${lines}\n\nReply "yes" to let me (plan ${id}), or say what to do instead.`,
  );
}

const yes =
  /^\s*(?:y|yes|yes,? please|yep|ok|okay|sure|go|go ahead|do it|approved?|confirm(?:ed)?|ja|oui|s[ií])\s*[.!]*\s*$/i;

/** The plan that the last answer asked for, where the user has just agreed to it. */
function agreedPlan(turn: AgentTurn, pending: PendingPlans) {
  if (!yes.test(lastUserText(turn.messages))) return undefined;
  const asked = turn.messages.findLast(({ role }) => role === 'assistant');
  const id = asked && /\(plan ([A-Za-z0-9_-]{12})\)/.exec(textOfMessage(asked))?.[1];
  return id === undefined ? undefined : pending.take(id, turn.agent);
}
