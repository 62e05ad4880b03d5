import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { LunaError, type LunaErrorCode, toLunaError } from '../../errors/index.ts';
import type { ToolResult } from '../../tools/index.ts';
import type { Agent, AgentEnd, AgentTurn, ModelAnswer } from '../agent.ts';
import { readAgents } from './exported-agents.ts';
import type { AgentRequest, AgentWorkerTask, FromAgentWorker, SentError, ToAgentWorker, TurnData } from './messages.ts';

/** The entry of the worker of a file with agents: loads it once, then runs turns until it is ended. */

const task: AgentWorkerTask = workerData;
const turns = new Map<number, AbortController>();
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: LunaError): void }>();
let agents: ReadonlyMap<string, Agent> = new Map();
let lastRequest = 0;

// Agents may import Luna's own library, and zod, without installing them.
registerHooks({
  resolve(specifier, context, nextResolve) {
    const fromLuna = () => nextResolve(specifier, { ...context, parentURL: import.meta.url });
    if (/^@luna\/core(?:\/|$)/.test(specifier)) return fromLuna();
    if (!/^zod(?:\/|$)/.test(specifier)) return nextResolve(specifier, context);
    try {
      return nextResolve(specifier, context);
    } catch {
      return fromLuna();
    }
  },
});

parentPort?.on('message', (message: ToAgentWorker) => {
  if (message.type === 'ping') send({ type: 'pong' });
  else if (message.type === 'cancel') turns.get(message.turn)?.abort();
  else if (message.type === 'turn') void run(message.turn, message.name, message.data);
  else {
    const asked = waiting.get(message.request);
    waiting.delete(message.request);
    if (message.type === 'answer') asked?.resolve(message.value);
    else asked?.reject(received(message.error));
  }
});

await load();

async function load(): Promise<void> {
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(task.file).href);
  } catch (thrown) {
    return send({ type: 'load-failed', message: toLunaError(thrown).message, thrown });
  }
  const read = readAgents(exported);
  if ('wrong' in read) return send({ type: 'load-failed', message: `${task.file}: ${read.wrong}` });
  agents = new Map(read.agents.map((agent) => [agent.name, agent]));
  send({ type: 'loaded', agents: read.agents.map(({ name, description }) => ({ name, description })) });
}

async function run(turn: number, name: string, data: TurnData): Promise<void> {
  const controller = new AbortController();
  turns.set(turn, controller);
  try {
    const agent = agents.get(name);
    if (!agent) throw new LunaError('not_found', `There is no agent "${name}" in ${task.file}.`);
    const end = await agent.run(turnOf(turn, data, controller.signal));
    send({ type: 'ended', turn, end: endOf(end) });
  } catch (thrown) {
    if (!(thrown instanceof LunaError)) console.error(thrown);
    send({ type: 'failed', turn, error: sent(thrown) });
  } finally {
    turns.delete(turn);
  }
}

function turnOf(turn: number, data: TurnData, signal: AbortSignal): AgentTurn {
  const request = <Answer>(of: AgentRequest): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = ++lastRequest;
      waiting.set(id, { resolve: (value) => resolve(value as Answer), reject });
      try {
        send({ type: 'request', turn, request: id, of });
      } catch (thrown) {
        // What cannot be sent, such as a function among the arguments.
        waiting.delete(id);
        reject(thrown);
      }
    });
  return {
    ...data,
    signal,
    ask: (question) => request<ModelAnswer>({ method: 'ask', question }),
    call: (tool, args) => request<ToolResult>({ method: 'call', tool, args }),
    say: (text) => send({ type: 'say', turn, text: String(text) }),
    think: (text) => send({ type: 'think', turn, text: String(text) }),
  };
}

/** No more than what an end holds: an agent may return anything. */
function endOf(end: unknown): AgentEnd {
  if (typeof end !== 'object' || end === null) return {};
  const { finish, toolCalls, limit } = end as AgentEnd;
  return {
    ...(typeof finish === 'string' && { finish }),
    ...(Array.isArray(toolCalls) && { toolCalls: JSON.parse(JSON.stringify(toolCalls)) }),
    ...(typeof limit === 'string' && { limit }),
  };
}

function sent(thrown: unknown): SentError {
  // What an agent throws of its own is the failure of that agent, not a defect of Luna.
  const { code, message, details } = toLunaError(thrown, 'tool_failed');
  return { code, message, ...(details && { details: JSON.parse(JSON.stringify(details)) }) };
}

function received({ code, message, details }: SentError): LunaError {
  return new LunaError(code as LunaErrorCode, message, { ...(details && { details }) });
}

function send(message: FromAgentWorker): void {
  parentPort?.postMessage(message);
}
