import { createHash } from 'node:crypto';
import type { Store } from './store.ts';

/** Sessions of browsers, by ids of which only digests are kept: who reads the database cannot take one over. */
export class BrowserSessions {
  readonly #db: Store['db'];

  constructor(store: Store) {
    this.#db = store.db;
  }

  /** What the session holds; undefined when there is none or its time is over. */
  async get(id: string): Promise<unknown> {
    const row = await this.#db
      .selectFrom('browser_sessions')
      .select('data')
      .where('id', '=', digestOf(id))
      .where('expires_at', '>', Date.now())
      .executeTakeFirst();
    return row && JSON.parse(row.data);
  }

  /** Keeps the session for so many milliseconds. */
  async set(id: string, data: unknown, lifeMs: number): Promise<void> {
    const values = { data: JSON.stringify(data), expires_at: Date.now() + lifeMs };
    await this.#db
      .insertInto('browser_sessions')
      .values({ id: digestOf(id), ...values })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute();
  }

  async delete(id: string): Promise<void> {
    await this.#db.deleteFrom('browser_sessions').where('id', '=', digestOf(id)).execute();
  }

  async deleteExpired(): Promise<void> {
    await this.#db.deleteFrom('browser_sessions').where('expires_at', '<=', Date.now()).execute();
  }
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
