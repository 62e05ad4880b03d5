import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The table of what agents have done. */
export const agentRunsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('agent_runs')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('agent', 'text', (column) => column.notNull())
      .addColumn('base_agent', 'text', (column) => column.notNull())
      .addColumn('caller_kind', 'text', (column) => column.notNull())
      .addColumn('caller_name', 'text')
      .addColumn('started_at', 'bigint', (column) => column.notNull())
      .addColumn('duration_ms', 'integer', (column) => column.notNull())
      .addColumn('outcome', 'text', (column) => column.notNull())
      .addColumn('error_code', 'text')
      .addColumn('error_message', 'text')
      .addColumn('prompt', 'text', (column) => column.notNull())
      .addColumn('answer', 'text', (column) => column.notNull())
      .addColumn('prompt_tokens', 'integer', (column) => column.notNull())
      .addColumn('completion_tokens', 'integer', (column) => column.notNull())
      .addColumn('model_calls', 'integer', (column) => column.notNull())
      .addColumn('tool_calls', 'integer', (column) => column.notNull())
      .addColumn('steps', 'text', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('agent_runs_started_at').on('agent_runs').column('started_at').execute();
    await db.schema.createIndex('agent_runs_agent').on('agent_runs').columns(['agent', 'started_at']).execute();
  },
  async down(db: Kysely<unknown>) {
    await db.schema.dropTable('agent_runs').execute();
  },
};
