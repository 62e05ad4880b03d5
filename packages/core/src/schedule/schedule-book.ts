import { LunaError } from '../errors/index.ts';
import { type KeptScheduleRun, ScheduleRuns, Schedules, type Store } from '../store/index.ts';
import type { ScheduleLimits } from './limits.ts';
import { fromKept, hubBehind, type Schedule, type ScheduleMaker, toKept } from './schedule.ts';

/** The schedules that there are, as they are kept. */
export class ScheduleBook {
  readonly runs: ScheduleRuns;
  readonly #kept: Schedules;
  readonly #schedules = new Map<string, Schedule>();

  constructor(store: Pick<Store, 'db'>) {
    this.runs = new ScheduleRuns(store);
    this.#kept = new Schedules(store);
  }

  /** Reads all; what cannot be read is told by name and left as it is. */
  async load(onUnreadable: (name: string, thrown: unknown) => void): Promise<void> {
    for (const kept of await this.#kept.list()) {
      try {
        this.#schedules.set(kept.id, fromKept(kept));
      } catch (thrown) {
        onUnreadable(kept.name, thrown);
      }
    }
  }

  /** All, the oldest first. */
  all(): Schedule[] {
    return [...this.#schedules.values()];
  }

  get(id: string): Schedule | undefined {
    return this.#schedules.get(id);
  }

  /** By its id or its name. Throws `not_found`. */
  find(idOrName: string): Schedule {
    const found = this.get(idOrName) ?? this.all().find(({ definition }) => definition.name === idOrName);
    if (!found) throw new LunaError('not_found', `There is no schedule "${idOrName}".`);
    return found;
  }

  /** Throws `conflict` for a name that is taken. */
  assertFree(name: string): void {
    if (this.all().some(({ definition }) => definition.name === name))
      throw new LunaError('conflict', `There is a schedule named "${name}" already.`);
  }

  async put(schedule: Schedule): Promise<void> {
    await this.#kept.put(toKept(schedule));
    this.#schedules.set(schedule.id, schedule);
  }

  /** Keeps runs of a schedule, and with them the time that comes next. */
  async plan(schedule: Schedule, runs: readonly KeptScheduleRun[], nextAt: number | undefined): Promise<void> {
    await this.runs.putAndPlan(schedule.id, runs, nextAt);
    this.#schedules.set(schedule.id, { ...schedule, nextAt });
  }

  /** Deletes a schedule with its runs. */
  async delete(id: string): Promise<void> {
    await this.#kept.delete(id);
    this.#schedules.delete(id);
  }

  /**
   * Schedules that have to go so that another can come: those that have had their one time, the oldest first. Throws
   * `limit_exceeded` when none may go.
   */
  leaving(maker: ScheduleMaker, limits: ScheduleLimits, isBusy: (id: string) => boolean): Schedule[] {
    const all = this.all();
    const isOver = ({ id, nextAt, definition }: Schedule) =>
      definition.when.at !== undefined && definition.enabled && nextAt === undefined && !isBusy(id);
    const ofHub = maker.kind === 'hub' ? all.filter((schedule) => hubBehind(schedule) === maker.name) : [];
    const leaving = ofHub.length < limits.schedulesOfHub ? [] : [firstOf(ofHub, isOver, limits.schedulesOfHub)];
    if (all.length - leaving.length >= limits.schedules) leaving.push(firstOf(all, isOver, limits.schedules));
    return leaving;
  }
}

function firstOf(schedules: readonly Schedule[], isOver: (schedule: Schedule) => boolean, limit: number): Schedule {
  const over = schedules.find(isOver);
  if (over) return over;
  throw new LunaError('limit_exceeded', `There are ${limit} schedules already. Remove one that is not needed.`);
}
