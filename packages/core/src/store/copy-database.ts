import { chmod } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { LunaError, messageOf } from '../errors/index.ts';

/**
 * Writes a whole copy of the database in a file, as it is at one moment; a Luna may be using it meanwhile. Throws
 * `config_invalid` when it cannot be read, and when the copy is there already.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(from, { timeout: 10_000 });
    database.prepare('VACUUM INTO ?').run(to);
  } catch (thrown) {
    throw new LunaError('config_invalid', `Cannot copy the database ${from}: ${messageOf(thrown)}`, { cause: thrown });
  } finally {
    database?.close();
  }
  await chmod(to, 0o600);
}
