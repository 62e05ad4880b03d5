import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { agentRunsMigration } from './agent-runs-migration.ts';
import { scheduleTables } from './schedule-tables.ts';

/** Each change of the tables, oldest first. A released one is never edited; the names are in people's databases. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001_people_and_clients': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('browser_sessions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('data', 'text', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('accounts')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('password', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('oauth_records')
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('id', 'text', (column) => column.notNull())
        .addColumn('payload', 'text', (column) => column.notNull())
        .addColumn('grant_id', 'text')
        .addColumn('uid', 'text')
        .addColumn('consumed_at', 'bigint')
        .addColumn('expires_at', 'bigint')
        .addPrimaryKeyConstraint('oauth_records_key', ['kind', 'id'])
        .execute();
      for (const column of ['grant_id', 'uid', 'expires_at']) {
        await db.schema.createIndex(`oauth_records_${column}`).on('oauth_records').column(column).execute();
      }
      await db.schema
        .createTable('signing_keys')
        .addColumn('number', 'integer', (column) => column.primaryKey())
        .addColumn('jwk', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('consents')
        .addColumn('account_id', 'text', (column) => column.notNull())
        .addColumn('client_id', 'text', (column) => column.notNull())
        .addColumn('grant_id', 'text', (column) => column.notNull().unique())
        .addColumn('client_name', 'text', (column) => column.notNull())
        .addColumn('redirect_uris', 'text', (column) => column.notNull())
        .addColumn('scope', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('consents_key', ['account_id', 'client_id'])
        .execute();
    },
    async down(db: Kysely<unknown>) {
      for (const table of ['consents', 'signing_keys', 'oauth_records', 'accounts', 'browser_sessions']) {
        await db.schema.dropTable(table).execute();
      }
    },
  },
  '002_lua_state': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('lua_state')
        .addColumn('tool', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('lua_state_key', ['tool', 'key'])
        .execute();
    },
    async down(db: Kysely<unknown>) {
      await db.schema.dropTable('lua_state').execute();
    },
  },
  '003_schedules': scheduleTables,
  '010_agent_runs': agentRunsMigration,
};
