import { randomUUID } from 'node:crypto';
import { LunaError, toLunaError } from '../errors/index.ts';
import type { KeptScheduleRun } from '../store/index.ts';
import type { Clock } from './clock.ts';
import { passedTimes } from './passed-times.ts';
import type { RunQueue } from './run-queue.ts';
import type { Schedule } from './schedule.ts';
import type { ScheduleBook } from './schedule-book.ts';
import { nextTime } from './times.ts';

export interface PlannerOptions {
  readonly book: ScheduleBook;
  readonly queue: RunQueue;
  readonly clock: Clock;
  /** A time that is reached later than this is missed, in milliseconds. */
  readonly lateMs: number;
  /** Does one thing after another, with all else that changes schedules. */
  readonly inTurn: <Value>(work: () => Promise<Value>) => Promise<Value>;
  readonly lastRun: (id: string) => KeptScheduleRun | undefined;
  /** Of what did not happen. */
  readonly onRan: (run: KeptScheduleRun) => void;
  readonly onError: (error: LunaError) => void;
}

type Origin = KeptScheduleRun['origin'];

/** Looks at the clock so often at least, in milliseconds: it may be set, and a machine may sleep. */
const longestWaitMs = 30_000;
/** After something could not be written it is tried again after so long, in milliseconds. */
const retryMs = 5_000;
/** A time that is later than it should be by so much was found when the clock was wrong, in milliseconds. */
const misplannedMs = 3_600_000;

/** Waits for the times of schedules, and decides what becomes of each. */
export class Planner {
  readonly #options: PlannerOptions;
  /** Times that never began because the process ended, by schedule, to be made up for. */
  readonly #owed = new Map<string, number>();
  #stopWaiting: () => void = () => undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #seenAt = Number.POSITIVE_INFINITY;
  #runCount = 0;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#state = 'started';
    await this.#wake();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#stopWaiting();
  }

  /** A schedule changed: what comes next may come earlier. */
  changed(): void {
    if (this.#state === 'started') queueMicrotask(() => void this.#wake());
  }

  /** What did not end when the process before did: begun is interrupted; waiting is missed, as it never began. */
  async settleLeftovers(): Promise<void> {
    const { book, clock } = this.#options;
    const endedAt = clock.now();
    for (const run of await book.runs.open()) {
      if (run.status === 'running') {
        const errorMessage = 'Luna ended while it was under way. It is not run again.';
        await book.runs.put({ ...run, status: 'interrupted', endedAt, errorMessage });
        continue;
      }
      await book.runs.put({ ...run, status: 'missed', endedAt, errorMessage: 'Luna ended before its turn came.' });
      const rule = book.get(run.scheduleId)?.definition.missed;
      if (rule === 'run_once' && run.origin !== 'manual')
        this.#owed.set(run.scheduleId, run.times + (this.#owed.get(run.scheduleId) ?? 0));
    }
  }

  /** Takes a run that somebody asks for. Throws `conflict`, and `not_running` when all ends. */
  async runNow(schedule: Schedule): Promise<{ run: KeptScheduleRun; ended: Promise<KeptScheduleRun> }> {
    const { book, queue } = this.#options;
    if (this.#state !== 'started') throw new LunaError('not_running', 'Schedules do not run now.');
    const refusal = queue.refusal(schedule);
    if (refusal !== undefined)
      throw new LunaError('conflict', `The schedule "${schedule.definition.name}" was not run: ${refusal}`);
    const run = this.#newRun(schedule, 'manual');
    await book.runs.put(run);
    return { run, ended: queue.add(schedule, run) };
  }

  /** Looks what is due, and waits for what comes next. */
  async #wake(): Promise<void> {
    const { book, clock, inTurn, onError } = this.#options;
    let wait = longestWaitMs;
    try {
      await inTurn(async () => {
        const now = clock.now();
        const wentBack = now < this.#seenAt;
        this.#seenAt = now;
        for (const schedule of book.all()) {
          if (wentBack) await this.#replan(schedule, now);
          await this.#runDue(book.get(schedule.id) ?? schedule);
        }
        await this.#payOwed();
      });
      const next = Math.min(...book.all().map(({ nextAt }) => nextAt ?? Number.POSITIVE_INFINITY));
      wait = Math.min(longestWaitMs, Math.max(0, next - clock.now()));
    } catch (thrown) {
      onError(toLunaError(thrown));
      wait = retryMs;
    }
    this.#stopWaiting();
    if (this.#state === 'started') this.#stopWaiting = clock.after(wait, () => void this.#wake());
  }

  /** A clock that was far ahead must not hold a schedule up until then. */
  async #replan(schedule: Schedule, now: number): Promise<void> {
    if (schedule.nextAt === undefined || schedule.nextAt <= now) return;
    const next = nextTime(schedule.definition.when, now);
    if (next !== undefined && next < schedule.nextAt - misplannedMs) await this.#options.book.plan(schedule, [], next);
  }

  async #runDue(schedule: Schedule): Promise<void> {
    const { clock, lateMs } = this.#options;
    const { nextAt, definition } = schedule;
    const now = clock.now();
    if (nextAt === undefined || nextAt > now || this.#state !== 'started') return;
    const { last, times, next } = passedTimes(definition.when, nextAt, now);
    const after = { ...schedule, nextAt: next };
    const isMissed = last < now - lateMs;
    if (isMissed && definition.missed === 'run_once') {
      const owed = this.#owed.get(schedule.id) ?? 0;
      this.#owed.delete(schedule.id);
      return this.#take(after, [], 'catch_up', times + owed, last);
    }
    const missed = isMissed ? times : times - 1;
    const entries = missed === 0 ? [] : [this.#missedRun(schedule, missed, isMissed ? last : undefined)];
    if (isMissed) await this.#plan(after, entries);
    else await this.#take(after, entries, 'time', 1, last);
  }

  async #payOwed(): Promise<void> {
    for (const [id, times] of [...this.#owed]) {
      this.#owed.delete(id);
      const schedule = this.#options.book.get(id);
      if (schedule?.definition.enabled) await this.#take(schedule, [], 'catch_up', times);
    }
  }

  /** Runs it, or keeps why not. */
  async #take(
    schedule: Schedule,
    before: readonly KeptScheduleRun[],
    origin: Origin,
    times: number,
    dueAt?: number,
  ): Promise<void> {
    const { queue } = this.#options;
    const refusal = queue.refusal(schedule);
    if (refusal !== undefined)
      return this.#plan(schedule, [...before, this.#skippedRun(schedule, refusal, times, dueAt)]);
    const run = this.#newRun(schedule, origin, dueAt, times);
    await this.#plan(schedule, [...before, run]);
    void queue.add(schedule, run);
  }

  async #plan(schedule: Schedule, runs: readonly KeptScheduleRun[]): Promise<void> {
    await this.#options.book.plan(schedule, runs, schedule.nextAt);
    for (const run of runs) if (run.status !== 'queued') this.#options.onRan(run);
  }

  #missedRun(schedule: Schedule, times: number, dueAt: number | undefined): KeptScheduleRun {
    const run = this.#newRun(schedule, 'time', dueAt, times);
    const errorMessage = times === 1 ? 'It could not run at its time.' : `It could not run at ${times} of its times.`;
    return { ...run, status: 'missed', endedAt: run.createdAt, errorMessage };
  }

  /** Times that are skipped one after another share an entry: a history full of them would tell nothing else. */
  #skippedRun(schedule: Schedule, errorMessage: string, times: number, dueAt: number | undefined): KeptScheduleRun {
    const run = this.#newRun(schedule, 'time', dueAt, times);
    const last = this.#options.lastRun(schedule.id);
    const isSame = last?.status === 'skipped' && last.errorMessage === errorMessage;
    const shared = isSame ? { ...last, dueAt, times: last.times + times } : run;
    return { ...shared, status: 'skipped', endedAt: run.createdAt, errorMessage };
  }

  #newRun(schedule: Schedule, origin: Origin, dueAt?: number, times = 1): KeptScheduleRun {
    const createdAt = this.#options.clock.now();
    // Of one millisecond too the later one sorts last.
    const count = String(this.#runCount++ % 1_000_000).padStart(6, '0');
    const id = `run-${createdAt.toString(36).padStart(9, '0')}-${count}-${randomUUID().slice(0, 8)}`;
    return { id, scheduleId: schedule.id, origin, status: 'queued', dueAt, times, createdAt };
  }
}
