import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../errors/index.ts';
import { migrations } from './migrations.ts';

/** What is wrong with the database in a file; nothing when it is sound. Changes nothing, and a Luna may be using it. */
export async function checkDatabase(file: string): Promise<string | undefined> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    const faults = database
      .prepare('PRAGMA quick_check(5)')
      .all()
      .map((row) => String(Object.values(row)[0]));
    if (faults.join() !== 'ok') return `it is damaged: ${faults.join('; ')}`;
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name = 'kysely_migration'").all();
    const applied = tables.length === 0 ? [] : database.prepare('SELECT name FROM kysely_migration').all();
    const newer = applied.map(({ name }) => String(name)).find((name) => !Object.hasOwn(migrations, name));
    return newer === undefined ? undefined : `it belongs to a newer Luna (it has "${newer}")`;
  } catch (thrown) {
    return messageOf(thrown);
  } finally {
    database?.close();
  }
}
