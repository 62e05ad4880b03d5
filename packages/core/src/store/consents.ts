import type { Store } from './store.ts';

/** That a person let a client in. */
export interface Consent {
  readonly accountId: string;
  readonly clientId: string;
  readonly clientName: string;
  /** What the authorization server keeps under it; access ends when it ends. */
  readonly grantId: string;
  /** Where the person agreed that the client is sent back to. */
  readonly redirectUris: readonly string[];
  readonly scope: string;
  readonly createdAt: number;
}

/** Who let which client in. */
export class Consents {
  readonly #db: Store['db'];

  constructor(store: Store) {
    this.#db = store.db;
  }

  async find(accountId: string, clientId: string): Promise<Consent | undefined> {
    const row = await this.#rows()
      .where('account_id', '=', accountId)
      .where('client_id', '=', clientId)
      .executeTakeFirst();
    return row && consentOf(row);
  }

  async ofGrant(grantId: string): Promise<Consent | undefined> {
    const row = await this.#rows().where('grant_id', '=', grantId).executeTakeFirst();
    return row && consentOf(row);
  }

  /** All, the latest first. */
  async list(): Promise<Consent[]> {
    return (await this.#rows().orderBy('created_at', 'desc').execute()).map(consentOf);
  }

  /** Notes a consent; a former one of the same person and client is replaced. */
  async put(consent: Omit<Consent, 'createdAt'>): Promise<void> {
    const values = {
      grant_id: consent.grantId,
      client_name: consent.clientName,
      redirect_uris: JSON.stringify(consent.redirectUris),
      scope: consent.scope,
    };
    await this.#db
      .insertInto('consents')
      .values({ account_id: consent.accountId, client_id: consent.clientId, ...values, created_at: Date.now() })
      .onConflict((conflict) => conflict.columns(['account_id', 'client_id']).doUpdateSet(values))
      .execute();
  }

  async deleteOfGrant(grantId: string): Promise<void> {
    await this.#db.deleteFrom('consents').where('grant_id', '=', grantId).execute();
  }

  #rows() {
    return this.#db.selectFrom('consents').selectAll();
  }
}

function consentOf(row: {
  account_id: string;
  client_id: string;
  client_name: string;
  grant_id: string;
  redirect_uris: string;
  scope: string;
  created_at: number;
}): Consent {
  return {
    accountId: row.account_id,
    clientId: row.client_id,
    clientName: row.client_name,
    grantId: row.grant_id,
    redirectUris: JSON.parse(row.redirect_uris),
    scope: row.scope,
    createdAt: row.created_at,
  };
}
