import PQueue from 'p-queue';
import { type LunaError, toLunaError } from '../errors/index.ts';
import type { AgentEnd, AgentTurn, ChatMessage, ModelAnswer, ModelTool, ModelToolCall } from './agent.ts';
import { textOfResult } from './trace.ts';

export interface LoopOptions {
  /** What the model sees first. Default: the preamble of the turn and the messages of the client. */
  readonly messages?: readonly ChatMessage[];
  /** Names of the tools that the model may use. Default: all of the turn. */
  readonly tools?: readonly string[];
}

/**
 * Asks the model and calls the tools that it wants until it answers without one. Wrong arguments and failures of tools go
 * back to the model. Calls of the client's own tools end the turn; what the model wanted of Luna's tools beside them is
 * left out, and it asks again. At a limit the client is told in the answer, and the turn ends with `length`.
 */
export async function runToolLoop(turn: AgentTurn, options: LoopOptions = {}): Promise<AgentEnd> {
  const messages = [...(options.messages ?? [...turn.preamble, ...turn.messages])];
  const tools = modelTools(turn, options.tools);
  const clientNames = new Set(turn.clientTools.map((tool) => tool.function.name));
  let tokens = 0;
  for (let step = 1; ; step++) {
    const answer = await turn.ask({
      messages,
      say: true,
      ...(tools.length > 0 && { tools }),
      // What the client demands holds for the first answer; later it would never let the model come to an end.
      ...(step === 1 && tools.length > 0 && { tool_choice: turn.toolChoice }),
    });
    tokens += answer.usage.total_tokens;
    if (answer.toolCalls.length === 0) return { finish: answer.finish };
    const forClient = answer.toolCalls.filter((call) => clientNames.has(call.function.name));
    if (forClient.length > 0) return { finish: 'tool_calls', toolCalls: forClient };
    const limit = limitAt(turn, step, tokens);
    if (limit !== undefined) return stopAt(turn, limit, answer);
    messages.push({
      role: 'assistant',
      content: answer.text === '' ? null : answer.text,
      tool_calls: answer.toolCalls,
    });
    messages.push(...(await callAll(turn, answer.toolCalls)));
    if (answer.text !== '') turn.say('\n\n');
  }
}

/** Calls tools side by side; the messages that answer them come in the order of the calls. */
export async function callAll(turn: AgentTurn, calls: readonly ModelToolCall[]): Promise<ChatMessage[]> {
  const queue = new PQueue({ concurrency: turn.limits.max_parallel_calls });
  const work = calls.map(({ id, function: called }) =>
    queue.add(async (): Promise<ChatMessage> => {
      const content = await resultText(turn, called.name, called.arguments);
      return { role: 'tool', tool_call_id: id, content };
    }),
  );
  return Promise.all(work);
}

/** What a model is told of a call: the result, or what went wrong. Throws only when the turn itself was withdrawn. */
export async function resultText(turn: AgentTurn, tool: string, args: string): Promise<string> {
  try {
    const result = await turn.call(tool, args);
    const text = shortened(textOfResult(result), turn.limits.max_result_characters);
    if (result.isError === true) return `The tool failed: ${text}`;
    return text === '' ? '(The tool answered nothing.)' : text;
  } catch (thrown) {
    if (turn.signal.aborted) throw thrown;
    return `Error: ${adviceOf(turn, tool, toLunaError(thrown))}`;
  }
}

/** The step and token limits of a turn: what to say when one is reached. */
export function limitAt(turn: AgentTurn, step: number, tokens: number): string | undefined {
  const { max_steps, max_total_tokens } = turn.limits;
  if (step >= max_steps) return `it reached its limit of ${max_steps} steps`;
  if (max_total_tokens !== undefined && tokens >= max_total_tokens)
    return `it reached its limit of ${max_total_tokens} tokens`;
  return undefined;
}

/** Tells the client that the turn ends at a limit. */
export function stopAt(turn: AgentTurn, limit: string, answer?: ModelAnswer): AgentEnd {
  const before = answer === undefined || answer.text === '' ? '' : '\n\n';
  turn.say(`${before}[The agent stopped: ${limit}. Ask it to go on, or raise the limit of its preset.]`);
  return { finish: 'length', limit };
}

function modelTools(turn: AgentTurn, names: readonly string[] | undefined): ModelTool[] {
  const own = names === undefined ? turn.tools : turn.tools.filter(({ name }) => names.includes(name));
  const described = own.map(
    ({ name, description, parameters }): ModelTool => ({
      type: 'function',
      // Endpoints want the type and the properties said, also where there are none.
      function: {
        name,
        description: description.slice(0, 8_192),
        parameters: { type: 'object', properties: {}, ...parameters },
      },
    }),
  );
  return [...described, ...turn.clientTools];
}

function adviceOf(turn: AgentTurn, tool: string, { code, message }: LunaError): string {
  if (code === 'tool_not_found')
    return `There is no tool "${tool}" here. The tools are: ${turn.tools.map(({ name }) => name).join(', ') || 'none'}.`;
  return code === 'invalid_input' ? `${message} Correct them and call ${tool} again.` : message;
}

function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit)}\n[The result is cut here: it has ${text.length} characters.]`;
}
