import type { ScheduleRunRow } from './schedule-tables.ts';
import { Schedules } from './schedules.ts';
import type { Store } from './store.ts';

/** `queued`: has not begun. `interrupted`: Luna ended meanwhile. `missed`, `skipped`: did not happen. */
export const scheduleRunStatuses = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'interrupted',
  'missed',
  'skipped',
] as const;
export type ScheduleRunStatus = (typeof scheduleRunStatuses)[number];

/** Why a run came about: its time, times that were missed, or somebody who asked for it. */
export const scheduleRunOrigins = ['time', 'catch_up', 'manual'] as const;
export type ScheduleRunOrigin = (typeof scheduleRunOrigins)[number];

/** One run of a schedule, or times at which it did not run. Times are milliseconds since the epoch. */
export interface KeptScheduleRun {
  readonly id: string;
  readonly scheduleId: string;
  readonly origin: ScheduleRunOrigin;
  readonly status: ScheduleRunStatus;
  /** The time that it was due at; of several the last. */
  readonly dueAt?: number | undefined;
  /** How many times of the schedule it stands for. */
  readonly times: number;
  readonly createdAt: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly result?: string | undefined;
  readonly errorCode?: string | undefined;
  readonly errorMessage?: string | undefined;
}

/** What schedules have done. */
export class ScheduleRuns {
  readonly #db: Store['db'];

  constructor(store: Pick<Store, 'db'>) {
    this.#db = store.db;
  }

  /** Keeps a run; a former state of it is replaced. */
  async put(run: KeptScheduleRun): Promise<void> {
    const { id, ...values } = rowOf(run);
    await this.#db
      .insertInto('schedule_runs')
      .values({ id, ...values })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute();
  }

  /** Keeps runs, and with them the time that comes next: both, or neither. */
  async putAndPlan(scheduleId: string, runs: readonly KeptScheduleRun[], nextAt: number | undefined): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      for (const run of runs) await new ScheduleRuns({ db }).put(run);
      await new Schedules({ db }).plan(scheduleId, nextAt);
    });
  }

  /** The latest runs of a schedule, the latest first. */
  async latest(scheduleId: string, limit: number): Promise<KeptScheduleRun[]> {
    const rows = await this.#db
      .selectFrom('schedule_runs')
      .selectAll()
      .where('schedule_id', '=', scheduleId)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(runOf);
  }

  /** Runs that have not ended, the oldest first. */
  async open(): Promise<KeptScheduleRun[]> {
    const rows = await this.#db
      .selectFrom('schedule_runs')
      .selectAll()
      .where('status', 'in', ['queued', 'running'])
      .orderBy('created_at')
      .execute();
    return rows.map(runOf);
  }

  /** Deletes what is older than so many runs of a schedule. What has not ended stays. */
  async prune(scheduleId: string, keep: number): Promise<void> {
    const kept = this.#db
      .selectFrom('schedule_runs')
      .select('id')
      .where('schedule_id', '=', scheduleId)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(keep);
    await this.#db
      .deleteFrom('schedule_runs')
      .where('schedule_id', '=', scheduleId)
      .where('status', 'not in', ['queued', 'running'])
      .where('id', 'not in', kept)
      .execute();
  }
}

function runOf(row: ScheduleRunRow): KeptScheduleRun {
  return {
    id: row.id,
    scheduleId: row.schedule_id,
    origin: known(scheduleRunOrigins, row.origin) ?? 'time',
    status: known(scheduleRunStatuses, row.status) ?? 'interrupted',
    dueAt: row.due_at ?? undefined,
    times: row.times,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    result: row.result ?? undefined,
    errorCode: row.error_code ?? undefined,
    errorMessage: row.error_message ?? undefined,
  };
}

function rowOf(run: KeptScheduleRun): ScheduleRunRow {
  return {
    id: run.id,
    schedule_id: run.scheduleId,
    origin: run.origin,
    status: run.status,
    due_at: run.dueAt ?? null,
    times: run.times,
    created_at: run.createdAt,
    started_at: run.startedAt ?? null,
    ended_at: run.endedAt ?? null,
    result: run.result ?? null,
    error_code: run.errorCode ?? null,
    error_message: run.errorMessage ?? null,
  };
}

function known<Word extends string>(words: readonly Word[], word: string): Word | undefined {
  return words.find((one) => one === word);
}
