import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Consent, Consents, OAuthRecords, type Store } from '@luna/core/store';
import type Provider from 'oidc-provider';
import type { PublicAddress } from '../../public-address.ts';
import type { Access, AccessTokens, TokenRefusal } from './access-tokens.ts';

export interface AuthorizationServerOptions {
  readonly store: Store;
  readonly address: PublicAddress;
  readonly cookieKeys: readonly string[];
  /** The account that is signed in to Luna in the browser of a request. */
  readonly accountIn: (request: IncomingMessage) => Promise<string | undefined>;
  /** Whether an account that signed in once still may. */
  readonly isAllowed: (accountId: string) => Promise<boolean>;
  /** Asks for the documents by which clients describe themselves. */
  readonly fetch: typeof fetch;
}

/** The path of the hub `main`, which access tokens are for. */
export const mainHubPath = '/api/mcp';

interface Made {
  readonly issuer: string;
  readonly provider: Provider;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly tokens: AccessTokens;
}

/** Luna's authorization server under its public address; when that changes it is made anew, with the same keys. */
export class AuthorizationServer {
  readonly #options: AuthorizationServerOptions;
  readonly #consents: Consents;
  readonly #records: OAuthRecords;
  readonly #accounts = new WeakMap<IncomingMessage, string>();
  readonly #listeners = new Set<(grantId: string) => void>();
  #made: { issuer: string; parts: Promise<Made> } | undefined;

  constructor(options: AuthorizationServerOptions) {
    this.#options = options;
    this.#consents = new Consents(options.store);
    this.#records = new OAuthRecords(options.store);
  }

  /** The URLs under which clients may ask for the hub `main`. The first one is its public address. */
  resources(): string[] {
    return this.#options.address.places().map((place) => place + mainHubPath);
  }

  get issuer(): string {
    return this.#options.address.url;
  }

  /** The address of Luna by which a request came, if it is one; otherwise the public one. */
  placeOf(request: IncomingMessage): string {
    return this.#options.address.placeOf(request);
  }

  /** The provider of the present address. */
  async provider(): Promise<Provider> {
    return (await this.#parts()).provider;
  }

  /** Answers a request to one of its endpoints. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { answer, issuer } = await this.#parts();
    const accountId = await this.#options.accountIn(request);
    if (accountId !== undefined) this.#accounts.set(request, accountId);
    // The library writes addresses by what the request says; the one that people configured is the right one.
    const { host, protocol } = new URL(issuer);
    request.headers.host = host;
    request.headers['x-forwarded-proto'] = protocol.replace(':', '');
    delete request.headers['x-forwarded-host'];
    await answer(request, response);
  }

  /** Who may come in with this access token, or why nobody may. */
  async verify(token: string): Promise<Access | TokenRefusal> {
    return (await this.#parts()).tokens.verify(token);
  }

  /** Whom people have let in. */
  consents(): Promise<Consent[]> {
    return this.#consents.list();
  }

  /** Ends a consent, and with it every token that was given by it. False when there is none. */
  async revoke(grantId: string): Promise<boolean> {
    if (!(await this.#consents.ofGrant(grantId))) return false;
    await this.#consents.deleteOfGrant(grantId);
    await this.#records.delete('Grant', grantId);
    await this.#records.deleteOfGrant(grantId);
    this.#tell(grantId);
    return true;
  }

  /** Calls the listener after a consent ended, whoever ended it; returns how to stop. */
  onRevoked(listener: (grantId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #parts(): Promise<Made> {
    const { issuer } = this;
    if (this.#made?.issuer !== issuer) {
      const parts = this.#make(issuer);
      this.#made = { issuer, parts };
      // A disk that was full for a moment is no reason to fail from then on.
      parts.catch(() => {
        if (this.#made?.parts === parts) this.#made = undefined;
      });
    }
    return this.#made.parts;
  }

  /** What it is made of is loaded with the first request: many homes are never asked, and it takes much memory. */
  async #make(issuer: string): Promise<Made> {
    const [{ AccessTokens }, { createProvider }, { signingKeys }] = await Promise.all([
      import('./access-tokens.ts'),
      import('./provider.ts'),
      import('./signing-keys.ts'),
    ]);
    const { store, cookieKeys, isAllowed, fetch } = this.#options;
    const keys = await signingKeys(store);
    const provider = createProvider({
      issuer,
      store,
      signingKeys: keys,
      cookieKeys,
      accountOf: (request) => this.#accounts.get(request),
      isAllowed,
      isResource: (url) => this.resources().includes(url),
      fetch,
    });
    provider.on('grant.revoked', (_context, grantId) => this.#tell(grantId));
    const callback = provider.callback();
    const tokens = new AccessTokens({ issuer, store, signingKeys: keys, audiences: () => this.resources() });
    return { issuer, provider, answer: async (request, response) => void (await callback(request, response)), tokens };
  }

  #tell(grantId: string): void {
    for (const listener of this.#listeners) listener(grantId);
  }
}
