import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A note as the tools show it. */
export interface Note {
  readonly id: number;
  readonly text: string;
  readonly tags: readonly string[];
  readonly created_at: string;
}

/** Some notes, and how many there are in all. */
export interface NotePage {
  readonly total: number;
  readonly notes: readonly Note[];
}

const stores = new Map<string, NoteStore>();

/** Notes in a SQLite file with an index of their words. */
export class NoteStore {
  readonly #database: DatabaseSync;

  /** The store of this folder; opened once. */
  static in(folder: string): NoteStore {
    const store = stores.get(folder) ?? new NoteStore(folder);
    stores.set(folder, store);
    return store;
  }

  private constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    // While saved tools are swapped in, two workers have the file open: each waits for the other, in milliseconds.
    this.#database = new DatabaseSync(join(folder, 'notes.sqlite'), { timeout: 5_000 });
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, tags TEXT NOT NULL, created_at TEXT NOT NULL);
      CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text, tags, content = 'notes', content_rowid = 'id');
      CREATE TRIGGER IF NOT EXISTS note_added AFTER INSERT ON notes BEGIN
        INSERT INTO words (rowid, text, tags) VALUES (new.id, new.text, new.tags);
      END;
      CREATE TRIGGER IF NOT EXISTS note_deleted AFTER DELETE ON notes BEGIN
        INSERT INTO words (words, rowid, text, tags) VALUES ('delete', old.id, old.text, old.tags);
      END;
    `);
  }

  add(text: string, tags: readonly string[]): Note {
    const row = this.#database
      .prepare('INSERT INTO notes (text, tags, created_at) VALUES (?, ?, ?) RETURNING *')
      .get(text, JSON.stringify([...new Set(tags)]), new Date().toISOString());
    return noteOf(row);
  }

  /** The notes with all of the words, the best match first; undefined when the query holds no word. */
  search({ query, limit, offset }: { query: string; limit: number; offset: number }): NotePage | undefined {
    const words = matchExpression(query);
    if (words === '') return undefined;
    const { total } =
      this.#database.prepare('SELECT count(*) AS total FROM words WHERE words MATCH ?').get(words) ?? {};
    const rows = this.#database
      .prepare(
        'SELECT notes.* FROM words JOIN notes ON notes.id = words.rowid WHERE words MATCH ? ORDER BY rank, notes.id DESC LIMIT ? OFFSET ?',
      )
      .all(words, limit, offset);
    return { total: Number(total), notes: rows.map(noteOf) };
  }

  list({ tag, limit, offset }: { tag?: string | undefined; limit: number; offset: number }): NotePage {
    const where = tag === undefined ? '' : 'WHERE EXISTS (SELECT 1 FROM json_each(notes.tags) WHERE value = ?)';
    const given = tag === undefined ? [] : [tag];
    const { total } = this.#database.prepare(`SELECT count(*) AS total FROM notes ${where}`).get(...given) ?? {};
    const rows = this.#database
      .prepare(`SELECT * FROM notes ${where} ORDER BY id DESC LIMIT ? OFFSET ?`)
      .all(...given, limit, offset);
    return { total: Number(total), notes: rows.map(noteOf) };
  }

  /** False when there is no such note. */
  delete(id: number): boolean {
    return this.#database.prepare('DELETE FROM notes WHERE id = ?').run(id).changes > 0;
  }
}

/** Each word is quoted, so that nothing of a person's words is taken for the search language; only a final * is meant. */
function matchExpression(query: string): string {
  return (
    query
      // SQLite takes a NUL for the end of the text.
      .split(/[\s\0]+/)
      .map((word) => ({ bare: word.replace(/\*+$/, '').replaceAll('"', '""'), prefix: word.endsWith('*') }))
      .filter(({ bare }) => /[\p{L}\p{N}]/u.test(bare))
      .map(({ bare, prefix }) => `"${bare}"${prefix ? '*' : ''}`)
      .join(' ')
  );
}

function noteOf(row: Record<string, unknown> | undefined): Note {
  return {
    id: Number(row?.id),
    text: String(row?.text),
    tags: JSON.parse(String(row?.tags)),
    created_at: String(row?.created_at),
  };
}
