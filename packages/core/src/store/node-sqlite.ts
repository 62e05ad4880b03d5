import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';
import { LunaError } from '../errors/index.ts';

/** SQLite's codes for a disk with no room: for its files, and for the index that it shares between processes. */
const sqliteFull: readonly unknown[] = [13, 4874];

/** Lets Kysely speak to the SQLite inside Node. */
export function nodeSqliteDialect(database: DatabaseSync): SqliteDialect {
  const face: SqliteDatabase = {
    prepare: (sql) => statementOf(database.prepare(sql)),
    close: () => database.close(),
  };
  return new SqliteDialect({ database: face });
}

function statementOf(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => withRoom(() => statement.all(...(parameters as SQLInputValue[]))),
    run: (parameters) => withRoom(() => statement.run(...(parameters as SQLInputValue[]))),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  };
}

/** Throws `no_space` where the disk is full; the statement has then changed nothing. */
function withRoom<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (thrown) {
    if (!isFull(thrown)) throw thrown;
    throw new LunaError('no_space', 'The disk is full: the database was not changed. Make room and try again.', {
      cause: thrown,
    });
  }
}

/** Whether SQLite says that the disk has no room. */
export function isFull(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && sqliteFull.includes(thrown.errcode);
}
