import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** A schedule. Times are milliseconds since the epoch. */
export interface ScheduleRow {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly definition: string;
  readonly enabled: number;
  /** The time that comes next; null when none does. */
  readonly next_at: number | null;
  /** JSON: who made it. */
  readonly made_by: string;
  readonly created_at: number;
  readonly updated_at: number;
}

/** One run of a schedule, or times at which it did not run. */
export interface ScheduleRunRow {
  readonly id: string;
  readonly schedule_id: string;
  readonly origin: string;
  readonly status: string;
  readonly due_at: number | null;
  readonly times: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly result: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

export const scheduleTables: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('schedules')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull().unique())
      .addColumn('definition', 'text', (column) => column.notNull())
      .addColumn('enabled', 'integer', (column) => column.notNull())
      .addColumn('next_at', 'bigint')
      .addColumn('made_by', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('schedule_runs')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('schedule_id', 'text', (column) => column.notNull())
      .addColumn('origin', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('due_at', 'bigint')
      .addColumn('times', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('started_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .addColumn('result', 'text')
      .addColumn('error_code', 'text')
      .addColumn('error_message', 'text')
      .execute();
    await db.schema
      .createIndex('schedule_runs_schedule')
      .on('schedule_runs')
      .columns(['schedule_id', 'created_at'])
      .execute();
  },
  async down(db: Kysely<unknown>) {
    await db.schema.dropTable('schedule_runs').execute();
    await db.schema.dropTable('schedules').execute();
  },
};
