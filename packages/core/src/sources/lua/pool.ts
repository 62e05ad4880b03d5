import { availableParallelism } from 'node:os';
import { LunaError } from '../../errors/index.ts';
import { type LuaRun, LuaWorker, stopping } from './worker-handle.ts';

export interface LuaPoolOptions {
  /** How many scripts run at one time. Default: one for each processor, at least two. */
  readonly size?: number;
  /** How many calls may wait for a free worker. Default 10,000. */
  readonly maxWaiting?: number;
}

/** Workers that there are at most for each that may run: most of their scripts wait for the host. */
const workersPerProcessor = 8;

/** One run in the pool. */
export interface LuaPoolRun extends LuaRun {
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
  async run(run: LuaPoolRun): Promise<unknown> {
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
