import { dirname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { LunaError, type LunaErrorCode, lunaErrorCodes, messageOf, toLunaError } from '../../errors/index.ts';
import { describeImportError } from '../../sources/extension/index.ts';
import { childEnvironment, firstMessage, Pulse, startWorker, UnderWay, workerBeside } from '../../supervisor/index.ts';
import type { AgentEnd, AgentTurn } from '../agent.ts';
import type { AgentRequest, AgentWorkerTask, FromAgentWorker, SentError, ToAgentWorker } from './messages.ts';

export interface AgentHostOptions {
  readonly file: string;
  /** Memory limit of the worker's heap, in MiB. */
  readonly memoryLimitMb: number;
  readonly onLog: (line: string) => void;
}

interface PendingTurn {
  readonly turn: AgentTurn;
  readonly resolve: (end: AgentEnd) => void;
  readonly reject: (error: LunaError) => void;
}

/** One worker with the agents of one version of a file. They reach models and tools through the turns that they are given. */
export class AgentHost {
  readonly agents: readonly { readonly name: string; readonly description: string }[];
  readonly #worker: Worker;
  readonly #file: string;
  readonly #pending = new UnderWay<PendingTurn>();
  readonly #pulse = new Pulse(() => this.#send({ type: 'ping' }));
  #ended = false;
  #cause = 'its worker ended by itself';

  /** Starts a worker and loads the file. Throws `extension_invalid`, naming file and line, when it does not load. */
  static async start(options: AgentHostOptions): Promise<AgentHost> {
    const { file, memoryLimitMb, onLog } = options;
    const data: AgentWorkerTask = { file };
    // Agents get no secrets: models and tools are reached for them.
    const env = childEnvironment({ cwd: dirname(file), env: {} });
    const { worker } = startWorker(workerBeside(import.meta.url), { data, env, name: file, memoryLimitMb, onLog });
    try {
      const loaded = await firstMessage<FromAgentWorker>(worker, file);
      if (loaded.type === 'loaded') return new AgentHost(worker, file, loaded.agents);
      throw new LunaError(
        'extension_invalid',
        loaded.type === 'load-failed' ? whyNot(loaded, file) : 'It did not load.',
      );
    } catch (thrown) {
      await worker.terminate();
      throw thrown;
    }
  }

  private constructor(worker: Worker, file: string, agents: AgentHost['agents']) {
    this.#worker = worker;
    this.#file = file;
    this.agents = agents;
    worker.on('message', (message: FromAgentWorker) => this.#receive(message));
    worker.on('error', (error) => {
      this.#cause = messageOf(error);
    });
    worker.on('exit', () => this.#exited());
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Runs a turn of one of the agents. Throws what the agent throws, and `source_unavailable` when the worker ends. */
  run(name: string, turn: AgentTurn): Promise<AgentEnd> {
    if (this.#ended) return Promise.reject(this.#unavailable());
    return new Promise((resolve, reject) => {
      const id = this.#pending.next();
      const cancel = () => {
        this.#send({ type: 'cancel', turn: id });
        settle(() => reject(toLunaError(turn.signal.reason, 'cancelled')));
        void this.#endIfStuck(name);
      };
      const settle = (finish: () => void) => {
        turn.signal.removeEventListener('abort', cancel);
        if (this.#pending.end(id)) finish();
      };
      this.#pending.begin(id, {
        turn,
        resolve: (end) => settle(() => resolve(end)),
        reject: (error) => settle(() => reject(error)),
      });
      turn.signal.addEventListener('abort', cancel, { once: true });
      const { agent, messages, memory, preamble, tools, clientTools, toolChoice, limits } = turn;
      const data = { agent, messages, memory, preamble, tools, clientTools, toolChoice, limits };
      this.#send({ type: 'turn', turn: id, name, data });
    });
  }

  /** Ends the worker once its turns have ended, or at the limit in milliseconds. */
  async drain(limitMs: number): Promise<void> {
    await this.#pending.idle(limitMs);
    await this.stop();
  }

  async stop(): Promise<void> {
    if (!this.#ended) this.#cause = 'it was closed';
    this.#ended = true;
    await this.#worker.terminate();
  }

  async #endIfStuck(agent: string): Promise<void> {
    if (this.#pulse.isAsking) return;
    const answered = await this.#pulse.answers();
    if (answered || this.#ended) return;
    this.#cause = `"${agent}" kept its worker busy and could not be cancelled`;
    await this.#worker.terminate();
  }

  #receive(message: FromAgentWorker): void {
    if (message.type === 'pong') this.#pulse.pong();
    if (!('turn' in message)) return;
    const pending = this.#pending.get(message.turn);
    if (!pending) return;
    if (message.type === 'request') void this.#answer(message.request, pending.turn, message.of);
    else if (message.type === 'say') pending.turn.say(message.text);
    else if (message.type === 'think') pending.turn.think(message.text);
    else if (message.type === 'ended') pending.resolve(message.end);
    else if (message.type === 'failed') pending.reject(received(message.error));
  }

  async #answer(request: number, turn: AgentTurn, of: AgentRequest): Promise<void> {
    try {
      const value = of.method === 'ask' ? await turn.ask(of.question) : await turn.call(of.tool, of.args);
      this.#send({ type: 'answer', request, value });
    } catch (thrown) {
      const { code, message, details } = toLunaError(thrown);
      this.#send({ type: 'refusal', request, error: { code, message, details } });
    }
  }

  #exited(): void {
    this.#ended = true;
    for (const turn of this.#pending.all()) turn.reject(this.#unavailable());
  }

  #unavailable(): LunaError {
    return new LunaError('source_unavailable', `The agents of ${this.#file} stopped: ${this.#cause}.`);
  }

  #send(message: ToAgentWorker): void {
    if (!this.#ended) this.#worker.postMessage(message);
  }
}

function whyNot({ message, thrown }: FromAgentWorker & { type: 'load-failed' }, file: string): string {
  return thrown === undefined ? message : describeImportError(thrown, file, dirname(file));
}

/** A worker may say anything; an error without a known code is the agent's own. */
function received({ code, message, details }: SentError): LunaError {
  const known: LunaErrorCode = code in lunaErrorCodes ? (code as LunaErrorCode) : 'tool_failed';
  return new LunaError(known, message, { ...(details && { details }) });
}
