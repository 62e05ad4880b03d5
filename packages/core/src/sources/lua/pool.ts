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

/** Workers that there are at most for each that may run: most of their scripts wait for the host. */
const workersPerProcessor = 8;

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

interface Share {
  workers: number;
  /** Of the workers those whose scripts run, and do not wait for the host. */
  running: number;
}

interface Waiting {
  readonly take: (worker: LuaWorker) => void;
  readonly refuse: (error: LunaError) => void;
}

/**
 * Workers for Lua scripts, each with one script at a time. A script that goes over its limits takes its worker with it,
 * and another one takes its place. Tools have their turns: one that is called without end, or whose scripts run long,
 * leaves a worker to the others. A script that waits for the host needs no processor and does not count.
 */
export class LuaPool {
  readonly #size: number;
  readonly #maxWaiting: number;
  readonly #idle: LuaWorker[] = [];
  readonly #all = new Set<LuaWorker>();
  /** By tool, each in the order in which they came; the tool whose turn is next stands first. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** What each tool has now, and all tools together. */
  readonly #shares = new Map<string, Share>();
  readonly #total: Share = { workers: 0, running: 0 };
  #waitingCount = 0;
  #closed = false;

  constructor({ size = Math.max(2, availableParallelism()), maxWaiting = 10_000 }: LuaPoolOptions = {}) {
    this.#size = size;
    this.#maxWaiting = maxWaiting;
  }

  /** Runs a script to its end. Throws `tool_failed` with the reason, `timeout`, `cancelled`, or `limit_exceeded`. */
  async run(run: LuaRun): Promise<unknown> {
    const tool = run.task.name;
    const worker = await this.#take(tool, run.isNested === true);
    let isRunning = true;
    const setRunning = (now: boolean) => {
      if (now !== isRunning) this.#count(tool, 0, now ? 1 : -1);
      isRunning = now;
      if (!now) this.#dispatch();
    };
    try {
      return await worker.run(run, setRunning);
    } finally {
      this.#count(tool, -1, isRunning ? -1 : 0);
      this.#giveBack(worker);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const queue of this.#waiting.values()) for (const { refuse } of queue) refuse(stopping());
    this.#waiting.clear();
    await Promise.all([...this.#all].map((worker) => worker.end()));
  }

  async #take(tool: string, isNested: boolean): Promise<LuaWorker> {
    if (this.#closed) throw stopping();
    if (isNested || this.#mayRun(tool)) return this.#give(tool);
    if (this.#waitingCount >= this.#maxWaiting) {
      throw new LunaError('limit_exceeded', 'Too many Lua scripts wait to be run. Try again.', {
        details: { retryAfterSeconds: 1 },
      });
    }
    return new Promise((take, refuse) => {
      const queue = this.#waiting.get(tool);
      if (queue) queue.push({ take, refuse });
      else this.#waiting.set(tool, [{ take, refuse }]);
      this.#waitingCount++;
    });
  }

  /**
   * One that may run and half of those that may wait are left to other tools, and the last quarter of all to tools that
   * have none.
   */
  #mayRun(tool: string): boolean {
    const most = this.#size * workersPerProcessor;
    if (this.#total.running >= this.#size || this.#total.workers >= most) return false;
    const { workers, running } = this.#shares.get(tool) ?? { workers: 0, running: 0 };
    if (workers > 0 && this.#total.workers >= most * 0.75) return false;
    return workers < Math.max(1, most / 2) && running < Math.max(1, this.#size - 1);
  }

  #give(tool: string): LuaWorker {
    this.#count(tool, 1, 1);
    return this.#idle.pop() ?? this.#start();
  }

  #count(tool: string, workers: number, running: number): void {
    const share = this.#shares.get(tool) ?? { workers: 0, running: 0 };
    this.#shares.set(tool, share);
    for (const one of [share, this.#total]) {
      one.workers += workers;
      one.running += running;
    }
    if (share.workers === 0) this.#shares.delete(tool);
  }

  #giveBack(worker: LuaWorker): void {
    if (worker.isEnded || this.#closed || this.#all.size > this.#size) {
      this.#all.delete(worker);
      void worker.end();
    } else this.#idle.push(worker);
    this.#dispatch();
  }

  /** Gives free workers to those who wait, one for each tool in turn. */
  #dispatch(): void {
    for (let isAny = true; isAny && !this.#closed; ) {
      isAny = false;
      for (const [tool, queue] of [...this.#waiting]) {
        if (!this.#mayRun(tool)) continue;
        this.#waiting.delete(tool);
        const next = queue.shift();
        if (queue.length > 0) this.#waiting.set(tool, queue);
        if (!next) continue;
        this.#waitingCount--;
        next.take(this.#give(tool));
        isAny = true;
      }
    }
  }

  #start(): LuaWorker {
    const worker = new LuaWorker();
    this.#all.add(worker);
    return worker;
  }
}

function stopping(): LunaError {
  return new LunaError('source_unavailable', 'Luna is stopping.', { details: { outcome: 'failed' } });
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

  /** `onRunning`: told when the script begins to wait for the host, and when it goes on. */
  async run(
    { task, runMs, waitMs, host, onPrint, cancellation }: LuaRun,
    onRunning: (isRunning: boolean) => void,
  ): Promise<unknown> {
    if (this.isEnded) throw stopping();
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
          onRunning(false);
          void answerOf(host, message).then((answer) => {
            waiting.stop();
            if (this.isEnded) return;
            onRunning(true);
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
          if (message.isSpoiled) void this.end();
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
    this.#onEnd('its worker ended');
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
    this.#timer = setTimeout(this.#onEnd, Math.max(1, this.#left));
  }

  stop(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left -= performance.now() - this.#since;
  }
}
