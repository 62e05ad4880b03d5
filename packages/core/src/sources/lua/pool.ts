import { availableParallelism } from 'node:os';
import { MessageChannel, Worker } from 'node:worker_threads';
import { LunaError } from '../../errors/index.ts';
import type { Cancellation } from '../../tools/index.ts';
import type { FromLuaWorker, HostAnswer, LuaTask } from './messages.ts';

export interface LuaPoolOptions {
  /** How many scripts run at one time. Default: one for each processor, at least two. */
  readonly size?: number;
  /** How many calls may wait for a free worker. Default 10,000. */
  readonly maxWaiting?: number;
}

/** One run of a script. */
export interface LuaRun {
  readonly task: LuaTask;
  /** The longest time of running, and of waiting for the host, in milliseconds. */
  readonly runMs: number;
  readonly waitMs: number;
  /** Does what the script asks of the host. Throws what the script is told. */
  readonly host: (what: string, args: readonly unknown[]) => Promise<unknown>;
  readonly onPrint: (line: string) => void;
  readonly cancellation?: Cancellation | undefined;
  /** Called by another script, which holds a worker meanwhile: it must not wait for one to be free. */
  readonly isNested?: boolean;
}

/**
 * Workers for Lua scripts, each with one script at a time. A script that goes over its limits takes its worker with it,
 * and another one takes its place.
 */
export class LuaPool {
  readonly #size: number;
  readonly #maxWaiting: number;
  readonly #idle: LuaWorker[] = [];
  readonly #all = new Set<LuaWorker>();
  readonly #waiting: ((worker: LuaWorker) => void)[] = [];
  #closed = false;

  constructor({ size = Math.max(2, availableParallelism()), maxWaiting = 10_000 }: LuaPoolOptions = {}) {
    this.#size = size;
    this.#maxWaiting = maxWaiting;
  }

  /** Runs a script to its end. Throws `tool_failed` with the reason, `timeout`, `cancelled`, or `limit_exceeded`. */
  async run(run: LuaRun): Promise<unknown> {
    const worker = await this.#take(run.isNested === true);
    try {
      return await worker.run(run);
    } finally {
      this.#giveBack(worker);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((worker) => worker.end()));
  }

  async #take(isNested: boolean): Promise<LuaWorker> {
    if (this.#closed)
      throw new LunaError('source_unavailable', 'Luna is stopping.', { details: { outcome: 'failed' } });
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (isNested || this.#all.size < this.#size) return this.#start();
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new LunaError('limit_exceeded', 'Too many Lua scripts wait to be run. Try again.', {
        details: { retryAfterSeconds: 1 },
      });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(worker: LuaWorker): void {
    const isSpare = this.#all.size > this.#size;
    if (worker.isEnded || isSpare || this.#closed) {
      this.#all.delete(worker);
      void worker.end();
      const next = this.#closed ? undefined : this.#waiting.shift();
      if (next) next(this.#start());
      return;
    }
    const next = this.#waiting.shift();
    if (next) next(worker);
    else this.#idle.push(worker);
  }

  #start(): LuaWorker {
    const worker = new LuaWorker();
    this.#all.add(worker);
    return worker;
  }
}

class LuaWorker {
  isEnded = false;
  readonly #worker: Worker;
  readonly #signal = new Int32Array(new SharedArrayBuffer(4));
  readonly #answers: MessageChannel['port1'];
  readonly #ready: Promise<void>;
  #onMessage: (message: FromLuaWorker) => void = () => undefined;
  #onEnd: (why: string) => void = () => undefined;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#answers = port1;
    port1.unref();
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: { signal: this.#signal, answers: port2 },
      transferList: [port2],
      env: {},
      execArgv: [],
      name: 'lua',
      resourceLimits: { maxOldGenerationSizeMb: 256 },
      stdout: true,
      stderr: true,
    });
    this.#worker.unref();
    this.#ready = new Promise((resolve) => {
      this.#onMessage = ({ type }) => {
        if (type === 'ready') resolve();
      };
    });
    this.#worker.on('message', (message: FromLuaWorker) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#ended(error.message));
    this.#worker.on('exit', () => this.#ended('its worker ended'));
  }

  async run({ task, runMs, waitMs, host, onPrint, cancellation }: LuaRun): Promise<unknown> {
    await Promise.race([this.#ready, new Promise<void>((resolve) => (this.#onEnd = () => resolve()))]);
    return new Promise((resolve, reject) => {
      const running = new Stopwatch(runMs, () => stop('timeout', `it ran longer than ${runMs / 1000} seconds`));
      const waiting = new Stopwatch(waitMs, () => stop('timeout', `it waited longer than ${waitMs / 1000} seconds`));
      const settle = () => {
        running.stop();
        waiting.stop();
        cancellation?.offCancel(onCancel);
        this.#onMessage = () => undefined;
        this.#onEnd = () => undefined;
      };
      const stop = (code: 'timeout' | 'cancelled' | 'tool_failed', why: string) => {
        settle();
        void this.end();
        reject(new LunaError(code, `${task.name}: ${why}.`));
      };
      const onCancel = () => stop('cancelled', 'it was cancelled');
      this.#onEnd = (why) => stop('tool_failed', why);
      this.#onMessage = (message) => {
        if (message.type === 'print') onPrint(message.line);
        else if (message.type === 'ask') {
          running.stop();
          waiting.start();
          void answerOf(host, message).then((answer) => {
            waiting.stop();
            if (this.isEnded) return;
            running.start();
            this.#answers.postMessage(answer);
            Atomics.store(this.#signal, 0, 1);
            Atomics.notify(this.#signal, 0);
          });
        } else if (message.type === 'done') {
          settle();
          resolve(message.result);
        } else if (message.type === 'failed') {
          settle();
          reject(new LunaError('tool_failed', message.message));
        }
      };
      if (this.isEnded) return stop('tool_failed', 'its worker ended');
      if (cancellation?.cancelled) return onCancel();
      cancellation?.onCancel(onCancel);
      running.start();
      this.#worker.postMessage({ type: 'run', task });
    });
  }

  async end(): Promise<void> {
    this.isEnded = true;
    await this.#worker.terminate();
    this.#answers.close();
  }

  #ended(why: string): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#onEnd(why);
  }
}

async function answerOf(
  host: LuaRun['host'],
  { what, args }: { what: string; args: readonly unknown[] },
): Promise<HostAnswer> {
  try {
    return { value: await host(what, args) };
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** Counts a time that goes on and off; tells when it is used up. */
class Stopwatch {
  readonly #onEnd: () => void;
  #left: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, onEnd: () => void) {
    this.#left = limitMs;
    this.#onEnd = onEnd;
  }

  start(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onEnd, this.#left);
  }

  stop(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left -= performance.now() - this.#since;
  }
}
