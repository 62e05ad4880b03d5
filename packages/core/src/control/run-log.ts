import type { AgentRun, AgentRunFilter, AgentRunSummary, AgentRuns } from '../store/index.ts';

export interface RunLogOptions {
  readonly runs: AgentRuns;
  /** For how long runs are kept, in milliseconds; asked when they are pruned. */
  readonly keptMs: () => number;
  readonly onError: (error: unknown) => void;
}

/** How long runs wait for others, to be written with one sync of the disk, in milliseconds. */
const gatherMs = 50;
const pruneEveryMs = 3_600_000;
/** More runs than these do not wait for a disk that is full or slow. */
const maxWaiting = 10_000;

/** Keeps runs of agents in the database, a little after they ended, so that nobody waits for the disk. */
export class RunLog {
  readonly #options: RunLogOptions;
  #waiting: AgentRun[] = [];
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #prunedAt = 0;

  constructor(options: RunLogOptions) {
    this.#options = options;
  }

  add(run: AgentRun): void {
    if (this.#waiting.length < maxWaiting) this.#waiting.push(run);
    this.#timer ??= setTimeout(() => void this.#flush(), gatherMs);
  }

  /** The latest first. */
  async list(filter: AgentRunFilter = {}): Promise<AgentRunSummary[]> {
    await this.#flush();
    return this.#options.runs.list(filter);
  }

  async get(id: string): Promise<AgentRun | undefined> {
    await this.#flush();
    return this.#options.runs.get(id);
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    await this.#flush();
  }

  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#work = this.#work.then(async () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      try {
        // A statement of SQL takes a limited number of values.
        for (let first = 0; first < waiting.length; first += 500)
          await this.#options.runs.add(waiting.slice(first, first + 500));
        if (Date.now() - this.#prunedAt < pruneEveryMs) return;
        this.#prunedAt = Date.now();
        await this.#options.runs.deleteBefore(Date.now() - this.#options.keptMs());
      } catch (thrown) {
        this.#options.onError(thrown);
      }
    });
    return this.#work;
  }
}
