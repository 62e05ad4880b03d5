import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';

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
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  };
}
