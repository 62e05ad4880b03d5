import type { ScheduleRow } from './schedule-tables.ts';
import type { Store } from './store.ts';

/** A schedule as it is kept. What it does and when is JSON, which whoever runs it parses. */
export interface KeptSchedule {
  readonly id: string;
  readonly name: string;
  readonly definition: unknown;
  readonly enabled: boolean;
  /** The time that comes next, in milliseconds since the epoch. */
  readonly nextAt: number | undefined;
  readonly madeBy: unknown;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The schedules of a home. */
export class Schedules {
  readonly #db: Store['db'];

  constructor(store: Pick<Store, 'db'>) {
    this.#db = store.db;
  }

  /** All, the oldest first. */
  async list(): Promise<KeptSchedule[]> {
    const rows = await this.#db.selectFrom('schedules').selectAll().orderBy('created_at').orderBy('id').execute();
    return rows.map(scheduleOf);
  }

  /** Keeps a schedule; a former one of the same id is replaced. */
  async put(schedule: KeptSchedule): Promise<void> {
    const { id, ...values } = rowOf(schedule);
    await this.#db
      .insertInto('schedules')
      .values({ id, ...values })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute();
  }

  /** Sets the time that comes next. */
  async plan(id: string, nextAt: number | undefined): Promise<void> {
    await this.#db
      .updateTable('schedules')
      .set({ next_at: nextAt ?? null })
      .where('id', '=', id)
      .execute();
  }

  /** Deletes a schedule with its runs. */
  async delete(id: string): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      await db.deleteFrom('schedule_runs').where('schedule_id', '=', id).execute();
      await db.deleteFrom('schedules').where('id', '=', id).execute();
    });
  }
}

function scheduleOf(row: ScheduleRow): KeptSchedule {
  return {
    id: row.id,
    name: row.name,
    definition: JSON.parse(row.definition),
    enabled: row.enabled === 1,
    nextAt: row.next_at ?? undefined,
    madeBy: JSON.parse(row.made_by),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function rowOf(schedule: KeptSchedule): ScheduleRow {
  return {
    id: schedule.id,
    name: schedule.name,
    definition: JSON.stringify(schedule.definition),
    enabled: schedule.enabled ? 1 : 0,
    next_at: schedule.nextAt ?? null,
    made_by: JSON.stringify(schedule.madeBy),
    created_at: schedule.createdAt,
    updated_at: schedule.updatedAt,
  };
}
