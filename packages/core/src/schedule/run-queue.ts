import { LunaError, toLunaError } from '../errors/index.ts';
import type { KeptScheduleRun, ScheduleRuns } from '../store/index.ts';
import type { Clock } from './clock.ts';
import type { Schedule } from './schedule.ts';

/** A run that is to be made. */
export interface ScheduledRun {
  readonly schedule: Schedule;
  readonly run: KeptScheduleRun;
  /** Aborted at the time limit, when the schedule is deleted, and when everything ends. */
  readonly signal: AbortSignal;
}

/** Does what a schedule asks for; what it answers is kept in the history, shortened. */
export type RunSchedule = (run: ScheduledRun) => Promise<string>;

export interface RunQueueOptions {
  readonly runs: ScheduleRuns;
  readonly run: RunSchedule;
  readonly clock: Clock;
  /** Runs at one time, of all schedules. Others wait. */
  readonly maxRunning: number;
  /** Runs of one schedule that may wait, or go at one time. */
  readonly maxOfOne: number;
  /** Covers secrets in what is kept of results and errors. */
  readonly redact: (text: string) => string;
  /** After it is known that a run has begun. */
  readonly onBegan: () => void;
  readonly onEnded: (run: KeptScheduleRun) => void;
  readonly onError: (error: LunaError) => void;
}

/** How much of a result and of an error is kept, in characters. */
const maxResultLength = 4_000;
const maxErrorLength = 2_000;

interface Entry extends ScheduledRun {
  run: KeptScheduleRun;
  readonly abort: AbortController;
  readonly settle: (run: KeptScheduleRun) => void;
}

/** Makes runs, as many at a time as may be, and keeps how they end. */
export class RunQueue {
  readonly #options: RunQueueOptions;
  readonly #waiting: Entry[] = [];
  readonly #active = new Set<Entry>();
  readonly #work = new Set<Promise<void>>();
  #closed = false;

  constructor(options: RunQueueOptions) {
    this.#options = options;
  }

  /** Why one more run of the schedule cannot be taken now, where that is so. */
  refusal({ id, definition: { overlap } }: Schedule): string | undefined {
    const { running, waiting } = this.count(id);
    const { maxOfOne } = this.#options;
    if (overlap === 'skip' && running + waiting > 0) return 'The run before has not ended.';
    if (overlap === 'queue' && waiting >= maxOfOne) return `${maxOfOne} runs wait for their turn already.`;
    if (overlap === 'parallel' && running + waiting >= maxOfOne) return `${maxOfOne} runs are under way already.`;
    return undefined;
  }

  count(id: string): { running: number; waiting: number } {
    const ofSchedule = (entry: Entry) => entry.schedule.id === id;
    return { running: [...this.#active].filter(ofSchedule).length, waiting: this.#waiting.filter(ofSchedule).length };
  }

  /** Takes a run that is kept as `queued`; settles when it has ended. */
  add(schedule: Schedule, run: KeptScheduleRun): Promise<KeptScheduleRun> {
    const abort = new AbortController();
    return new Promise((settle) => {
      this.#waiting.push({ schedule, run, abort, signal: abort.signal, settle });
      this.#next();
    });
  }

  /** Ends the runs of a schedule, which is gone. */
  drop(id: string): void {
    const reason = new LunaError('cancelled', 'The schedule was deleted.');
    for (const entry of this.#waiting.filter(({ schedule }) => schedule.id === id)) {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      entry.settle({ ...entry.run, status: 'skipped', errorMessage: reason.message });
    }
    for (const entry of this.#active) if (entry.schedule.id === id) entry.abort.abort(reason);
  }

  /** Ends all runs as interrupted. What waits stays as it is kept. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const entry of this.#waiting.splice(0)) entry.settle(entry.run);
    for (const { abort } of this.#active) abort.abort(new LunaError('cancelled', 'Luna was stopped meanwhile.'));
    await Promise.all(this.#work);
  }

  #next(): void {
    while (!this.#closed && this.#active.size < this.#options.maxRunning) {
      const index = this.#waiting.findIndex((entry) => this.#mayGo(entry));
      const [entry] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (!entry) return;
      this.#active.add(entry);
      const work = this.#make(entry).finally(() => {
        this.#work.delete(work);
        this.#active.delete(entry);
        this.#next();
        entry.settle(entry.run);
      });
      this.#work.add(work);
    }
  }

  #mayGo({ schedule }: Entry): boolean {
    if (schedule.definition.overlap === 'parallel') return true;
    return ![...this.#active].some((active) => active.schedule.id === schedule.id);
  }

  async #make(entry: Entry): Promise<void> {
    const { clock, onBegan, onEnded } = this.#options;
    const seconds = entry.schedule.definition.time_limit_seconds;
    const limit = clock.after(seconds * 1000, () =>
      entry.abort.abort(new LunaError('timeout', `The run did not end within ${seconds} seconds.`)),
    );
    try {
      // It must be known that the run has begun before it does anything: what has begun is never repeated.
      await this.#keep(entry, { status: 'running', startedAt: clock.now() });
      onBegan();
      const result = await endedBy(entry.signal, () => this.#options.run(entry));
      await this.#keep(entry, { status: 'succeeded', result: this.#shown(result, maxResultLength) });
    } catch (thrown) {
      await this.#failed(entry, toLunaError(thrown));
    } finally {
      limit();
      onEnded(entry.run);
    }
  }

  async #failed(entry: Entry, error: LunaError): Promise<void> {
    const status = this.#closed && entry.signal.aborted ? 'interrupted' : 'failed';
    const errorMessage = this.#shown(error.message, maxErrorLength);
    try {
      await this.#keep(entry, { status, errorCode: error.code, errorMessage });
    } catch (thrown) {
      this.#options.onError(toLunaError(thrown));
    }
  }

  async #keep(entry: Entry, change: Partial<KeptScheduleRun>): Promise<void> {
    const ended = change.status === 'running' ? {} : { endedAt: this.#options.clock.now() };
    const run = { ...entry.run, ...change, ...ended };
    await this.#options.runs.put(run);
    entry.run = run;
  }

  #shown(text: string, maxLength: number): string {
    const covered = this.#options.redact(text);
    return covered.length > maxLength ? `${covered.slice(0, maxLength)}…` : covered;
  }
}

/** What the work answers, unless the signal is aborted first: whoever does not listen to it is not waited for. */
function endedBy<Value>(signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', end));
  });
}
