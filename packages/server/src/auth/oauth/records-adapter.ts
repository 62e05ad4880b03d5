import { Consents, type OAuthPayload, OAuthRecords, type Store } from '@luna/core/store';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';

/** A client that nobody has let in is forgotten after this long, in milliseconds: anybody may register one. */
const strangerLifeMs = 86_400_000;

/** Keeps what the authorization server has to keep in the database, one kind of record for each instance. */
export class RecordsAdapter implements Adapter {
  readonly #kind: string;
  readonly #records: OAuthRecords;
  readonly #consents: Consents;

  constructor(kind: string, store: Store) {
    this.#kind = kind;
    this.#records = new OAuthRecords(store);
    this.#consents = new Consents(store);
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    const lifeMs = typeof expiresInSeconds === 'number' ? expiresInSeconds * 1000 : undefined;
    await this.#records.put(this.#kind, id, payload as OAuthPayload, this.#kind === 'Client' ? strangerLifeMs : lifeMs);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#records.find(this.#kind, id) as Promise<AdapterPayload | undefined>;
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#records.findByUid(this.#kind, uid) as Promise<AdapterPayload | undefined>;
  }

  /** The flow for devices without a browser is not offered. */
  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /** Of two who use a code or a token at the same time, the second is refused as one who uses it again. */
  async consume(id: string): Promise<void> {
    if (!(await this.#records.consume(this.#kind, id))) throw new errors.InvalidGrant('used already');
  }

  async destroy(id: string): Promise<void> {
    await this.#records.delete(this.#kind, id);
    if (this.#kind === 'Grant') await this.#consents.deleteOfGrant(id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#records.deleteOfGrant(grantId, this.#kind);
  }
}
