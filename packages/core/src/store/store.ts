import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { LunaError, messageOf } from '../errors/index.ts';
import { migrations } from './migrations.ts';
import { isFull, nodeSqliteDialect } from './node-sqlite.ts';
import type { Tables } from './tables.ts';

/** The database of one Luna. What it has acknowledged is on the disk. */
export interface Store {
  readonly db: Kysely<Tables>;
  close(): Promise<void>;
}

/**
 * Opens the database in a file, makes it when missing, and brings its tables up to date. Throws `config_invalid` when
 * the file is no database, or was written by a newer Luna; `no_space` when the disk is full.
 */
export async function openStore(file: string): Promise<Store> {
  await mkdir(dirname(file), { recursive: true });
  try {
    // SQLite gives its other files the mode of this one.
    await (await open(file, 'a', 0o600)).close();
    const database = new DatabaseSync(file, { timeout: 5_000 });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
    await migrate(db, file);
    return { db, close: () => db.destroy() };
  } catch (thrown) {
    if (thrown instanceof LunaError) throw thrown;
    if (isFull(thrown))
      throw new LunaError('no_space', `The disk is full: the database ${file} cannot be opened. Free some space.`, {
        cause: thrown,
      });
    throw new LunaError('config_invalid', `Cannot open the database ${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** Goes through the migrations; public for tests of the way back. */
export function migratorOf(db: Kysely<Tables>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
}

async function migrate(db: Kysely<Tables>, file: string): Promise<void> {
  const unknown = (await appliedNames(db)).filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length > 0) {
    await db.destroy();
    throw new LunaError(
      'config_invalid',
      `The database ${file} belongs to a newer Luna (it has "${unknown[0]}"). Update this Luna, or restore a backup.`,
    );
  }
  const { error } = await migratorOf(db).migrateToLatest();
  if (error === undefined) return;
  await db.destroy();
  throw error;
}

async function appliedNames(db: Kysely<Tables>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return [];
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .execute();
  return rows.map((row) => row.name);
}
