import type { Store } from './store.ts';

/** A record as the authorization server gives and gets it. */
export type OAuthPayload = Readonly<Record<string, unknown>>;

/** Clients, codes, tokens, grants and sessions of the authorization server, by kind and id. */
export class OAuthRecords {
  readonly #db: Store['db'];

  constructor(store: Store) {
    this.#db = store.db;
  }

  /** Keeps a record; `lifeMs`: for how long, for ever when left out. */
  async put(kind: string, id: string, payload: OAuthPayload, lifeMs?: number): Promise<void> {
    const values = {
      payload: JSON.stringify(payload),
      grant_id: textOf(payload.grantId),
      uid: textOf(payload.uid),
      expires_at: lifeMs === undefined ? null : Date.now() + lifeMs,
    };
    await this.#db
      .insertInto('oauth_records')
      .values({ kind, id, ...values })
      .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet(values))
      .execute();
  }

  find(kind: string, id: string): Promise<OAuthPayload | undefined> {
    return this.#findBy(kind, 'id', id);
  }

  findByUid(kind: string, uid: string): Promise<OAuthPayload | undefined> {
    return this.#findBy(kind, 'uid', uid);
  }

  /** Marks a record as used. False when it was used before: of two that come at once, one gets true. */
  async consume(kind: string, id: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('oauth_records')
      .set({ consumed_at: Date.now() })
      .where('kind', '=', kind)
      .where('id', '=', id)
      .where('consumed_at', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Keeps a record for ever, whatever time it was given. */
  async keep(kind: string, id: string): Promise<void> {
    await this.#db
      .updateTable('oauth_records')
      .set({ expires_at: null })
      .where('kind', '=', kind)
      .where('id', '=', id)
      .execute();
  }

  async delete(kind: string, id: string): Promise<void> {
    await this.#db.deleteFrom('oauth_records').where('kind', '=', kind).where('id', '=', id).execute();
  }

  /** Deletes all that belongs to a grant; with a kind, only records of that. */
  async deleteOfGrant(grantId: string, kind?: string): Promise<void> {
    let query = this.#db.deleteFrom('oauth_records').where('grant_id', '=', grantId);
    if (kind !== undefined) query = query.where('kind', '=', kind);
    await query.execute();
  }

  async deleteExpired(): Promise<void> {
    await this.#db.deleteFrom('oauth_records').where('expires_at', '<=', Date.now()).execute();
  }

  /** How many records of a kind there are. */
  async count(kind: string): Promise<number> {
    const row = await this.#db
      .selectFrom('oauth_records')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('kind', '=', kind)
      .executeTakeFirst();
    return Number(row?.count ?? 0);
  }

  async #findBy(kind: string, column: 'id' | 'uid', value: string): Promise<OAuthPayload | undefined> {
    const row = await this.#db
      .selectFrom('oauth_records')
      .select(['payload', 'consumed_at'])
      .where('kind', '=', kind)
      .where(column, '=', value)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', Date.now())]))
      .executeTakeFirst();
    if (!row) return undefined;
    const consumed = row.consumed_at === null ? {} : { consumed: Math.floor(row.consumed_at / 1000) };
    return { ...JSON.parse(row.payload), ...consumed };
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
