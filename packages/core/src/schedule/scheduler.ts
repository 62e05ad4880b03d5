import { randomUUID } from 'node:crypto';
import { LunaError, toLunaError } from '../errors/index.ts';
import type { KeptScheduleRun, Store } from '../store/index.ts';
import { type Clock, systemClock } from './clock.ts';
import {
  type NewSchedule,
  type ScheduleChange,
  scheduleChange,
  scheduleDefinition,
  scheduleWhen,
} from './definition.ts';
import { type ScheduleLimits, standardLimits } from './limits.ts';
import { assertOneSelection, parsed } from './parse.ts';
import { Planner } from './planner.ts';
import { RunQueue, type RunSchedule } from './run-queue.ts';
import { hubBehind, type Schedule, type ScheduleMaker, withRules } from './schedule.ts';
import { ScheduleBook } from './schedule-book.ts';
import { completeWhen, localTime, nextTime, nextTimes } from './times.ts';
import type { ScheduleEvent, ScheduleRunView, ScheduleTimesView, ScheduleView } from './views.ts';

export interface SchedulerOptions {
  /** Where schedules and their history are kept. */
  readonly store: Pick<Store, 'db'>;
  /** Does what a schedule asks for. */
  readonly run: RunSchedule;
  readonly clock?: Clock;
  /** The time zone of schedules that name none; asked when one is made. Default: UTC. */
  readonly timezone?: () => string;
  readonly limits?: Partial<ScheduleLimits>;
  /** Covers secrets in what is kept of results and errors. Default: nothing is covered. */
  readonly redact?: (text: string) => string;
  readonly onEvent?: (event: ScheduleEvent) => void;
  readonly onError?: (error: LunaError) => void;
}

/**
 * Runs what it is told to at the times that it is told, over restarts. Nothing is run twice for one time: that a run has
 * begun is on the disk before it does anything, and one that was under way when the process died is `interrupted`.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #clock: Clock;
  readonly #limits: ScheduleLimits;
  readonly #book: ScheduleBook;
  readonly #queue: RunQueue;
  readonly #planner: Planner;
  readonly #lastRuns = new Map<string, KeptScheduleRun>();
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...standardLimits, ...options.limits };
    this.#book = new ScheduleBook(options.store);
    const onError = (error: LunaError) => options.onError?.(error);
    this.#queue = new RunQueue({
      runs: this.#book.runs,
      run: options.run,
      clock: this.#clock,
      maxRunning: this.#limits.running,
      maxOfOne: this.#limits.runningOfOne,
      redact: options.redact ?? ((text) => text),
      onBegan: () => options.onEvent?.({ type: 'schedules.changed' }),
      onEnded: (run) => this.#ended(run),
      onError,
    });
    this.#planner = new Planner({
      book: this.#book,
      queue: this.#queue,
      clock: this.#clock,
      lateMs: this.#limits.lateMs,
      inTurn: (work) => this.#inTurn(work),
      lastRun: (id) => this.#lastRuns.get(id),
      onRan: (run) => this.#ended(run),
      onError,
    });
  }

  /** Reads what is kept, settles what was under way when the process before ended, and begins. */
  async start(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#book.load((name, thrown) => {
        const why = toLunaError(thrown).message;
        const error = new LunaError('config_invalid', `The schedule "${name}" cannot be read: ${why}`);
        this.#options.onError?.(error);
      });
      await this.#planner.settleLeftovers();
      for (const { id } of this.#book.all()) {
        const [last] = await this.#book.runs.latest(id, 1);
        if (last) this.#lastRuns.set(id, last);
      }
    });
    await this.#planner.start();
  }

  /** Ends runs under way, which become `interrupted`, and waits until that is kept. */
  async close(): Promise<void> {
    this.#planner.stop();
    await this.#work;
    await this.#queue.close();
    await this.#work;
  }

  /** All schedules, the oldest first. */
  list(): ScheduleView[] {
    return this.#book.all().map((schedule) => this.#view(schedule));
  }

  /** By its id or its name. Throws `not_found`. */
  get(idOrName: string): ScheduleView {
    return this.#view(this.#book.find(idOrName));
  }

  /**
   * Makes a schedule. Throws `invalid_input` for what does not fit, `conflict` for a name that is taken, and
   * `limit_exceeded` when there are too many.
   */
  add(input: NewSchedule, madeBy: ScheduleMaker): Promise<ScheduleView> {
    return this.#inTurn(async () => {
      const definition = parsed(scheduleDefinition, input);
      assertOneSelection(definition);
      this.#book.assertFree(definition.name);
      const now = this.#clock.now();
      const when = completeWhen(definition.when, now, this.#timezone());
      const isBusy = (id: string) => this.#queue.count(id).running > 0;
      for (const leaving of this.#book.leaving(madeBy, this.#limits, isBusy)) await this.#delete(leaving);
      const nextAt = definition.enabled ? nextTime(when, now) : undefined;
      const complete = withRules({ ...definition, when });
      return this.#put({
        id: `sch-${randomUUID()}`,
        definition: complete,
        nextAt,
        madeBy,
        createdAt: now,
        updatedAt: now,
      });
    });
  }

  /** Changes what is named. Runs under way go on as they began. Throws as {@link add} does, and `not_found`. */
  change(idOrName: string, input: ScheduleChange): Promise<ScheduleView> {
    return this.#inTurn(async () => {
      const before = this.#book.find(idOrName);
      const { hub, preset, when, ...rest } = parsed(scheduleChange, input);
      const now = this.#clock.now();
      const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      const definition: Schedule['definition'] = {
        ...before.definition,
        ...given,
        ...(hub !== undefined && { hub: hub ?? undefined }),
        ...(preset !== undefined && { preset: preset ?? undefined }),
        ...(when && { when: completeWhen(when, now, this.#timezone()) }),
      };
      assertOneSelection(definition);
      assertSameHub(before, definition);
      if (definition.name !== before.definition.name) this.#book.assertFree(definition.name);
      const isPlannedAnew = when !== undefined || definition.enabled !== before.definition.enabled;
      const nextAt = isPlannedAnew ? nextTime(definition.when, now) : before.nextAt;
      return this.#put({ ...before, definition, nextAt: definition.enabled ? nextAt : undefined, updatedAt: now });
    });
  }

  /** Deletes a schedule with its history, and ends its runs. Throws `not_found`. */
  remove(idOrName: string): Promise<void> {
    return this.#inTurn(() => this.#delete(this.#book.find(idOrName)));
  }

  /**
   * Runs a schedule now, whatever its times, and whether it is on or not. Settles when the run has ended; with
   * `wait: false` when it is taken. Throws `not_found`, and `conflict` when its rule for overlaps leaves no room.
   */
  async run(idOrName: string, { wait = true }: { wait?: boolean } = {}): Promise<ScheduleRunView> {
    const taken = await this.#inTurn(() => this.#planner.runNow(this.#book.find(idOrName)));
    return this.#runView(wait ? await taken.ended : taken.run);
  }

  /** What a schedule has done, the latest first. Throws `not_found`. */
  async runs(idOrName: string, limit = this.#limits.history): Promise<ScheduleRunView[]> {
    const { id } = this.#book.find(idOrName);
    return (await this.#book.runs.latest(id, limit)).map((run) => this.#runView(run));
  }

  /** The next times that a schedule would have. Throws `invalid_input` as {@link add} does. */
  test(when: unknown, count = 5): ScheduleTimesView {
    const now = this.#clock.now();
    const complete = completeWhen(parsed(scheduleWhen, when), now, this.#timezone());
    const times = nextTimes(complete, now, count);
    return { times: times.map((at) => ({ at, local: localTime(at, complete.timezone) })) };
  }

  /** A hub has another name now: schedules that run under it go with it. */
  async hubRenamed(before: string, after: string): Promise<void> {
    await this.#inTurn(async () => {
      for (const schedule of this.#book.all()) {
        const isBehind = hubBehind(schedule) === before;
        if (schedule.definition.hub !== before && !isBehind) continue;
        const madeBy = isBehind ? { kind: 'hub', name: after } : schedule.madeBy;
        await this.#put({ ...schedule, definition: { ...schedule.definition, hub: after }, madeBy });
      }
    });
  }

  /** A hub is gone: what its clients made goes too, so that another hub of that name does not take it over. */
  async hubDeleted(name: string): Promise<void> {
    await this.#inTurn(async () => {
      for (const schedule of this.#book.all()) if (hubBehind(schedule) === name) await this.#delete(schedule);
    });
  }

  /** Waits until all that has been asked for so far is kept. */
  async settled(): Promise<void> {
    await this.#work;
  }

  #ended(run: KeptScheduleRun): void {
    if (this.#book.get(run.scheduleId)) {
      this.#lastRuns.set(run.scheduleId, run);
      this.#options.onEvent?.({ type: 'schedule.ran', run: this.#runView(run) });
    }
    void this.#inTurn(async () => {
      // One that was deleted while it ran leaves nothing behind.
      if (this.#book.get(run.scheduleId)) await this.#book.runs.prune(run.scheduleId, this.#limits.history);
      else await this.#book.delete(run.scheduleId);
    }).catch((thrown) => this.#options.onError?.(toLunaError(thrown)));
  }

  async #put(schedule: Schedule): Promise<ScheduleView> {
    await this.#book.put(schedule);
    this.#changed();
    return this.#view(schedule);
  }

  async #delete({ id }: Schedule): Promise<void> {
    await this.#book.delete(id);
    this.#lastRuns.delete(id);
    this.#queue.drop(id);
    this.#changed();
  }

  #changed(): void {
    this.#options.onEvent?.({ type: 'schedules.changed' });
    this.#planner.changed();
  }

  #view(schedule: Schedule): ScheduleView {
    const { id, definition, nextAt, madeBy, createdAt, updatedAt } = schedule;
    const last = this.#lastRuns.get(id);
    return {
      ...definition,
      id,
      madeBy: { ...madeBy },
      ...(nextAt !== undefined && { nextAt, next: localTime(nextAt, definition.when.timezone) }),
      ...this.#queue.count(id),
      ...(last && { lastRun: this.#runView({ ...last, result: undefined }) }),
      createdAt,
      updatedAt,
    };
  }

  #runView(run: KeptScheduleRun): ScheduleRunView {
    return { ...run, schedule: this.#book.get(run.scheduleId)?.definition.name ?? '' };
  }

  #timezone(): string {
    return this.#options.timezone?.() ?? 'UTC';
  }

  /** One change after another. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#work.then(work);
    this.#work = turn.catch(() => undefined);
    return turn;
  }
}

function assertSameHub(schedule: Schedule, { hub, preset }: Schedule['definition']): void {
  const behind = hubBehind(schedule);
  if (behind === undefined || (hub === behind && preset === undefined)) return;
  throw new LunaError(
    'conflict',
    `The schedule was made through the hub "${behind}" and runs under it. Make another to run it otherwise.`,
  );
}
