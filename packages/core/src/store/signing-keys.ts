import type { Store } from './store.ts';

/** The private keys that tokens are signed with, as JSON Web Keys. */
export class SigningKeys {
  readonly #db: Store['db'];

  constructor(store: Store) {
    this.#db = store.db;
  }

  /** All keys, the latest first: it signs, the others still verify. */
  async list(): Promise<Record<string, unknown>[]> {
    const rows = await this.#db.selectFrom('signing_keys').select('jwk').orderBy('number', 'desc').execute();
    return rows.map((row) => JSON.parse(row.jwk));
  }

  async add(jwk: object): Promise<void> {
    await this.#db
      .insertInto('signing_keys')
      .values({ jwk: JSON.stringify(jwk), created_at: Date.now() })
      .execute();
  }
}
