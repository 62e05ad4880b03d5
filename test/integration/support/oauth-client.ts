import { createHash, randomBytes } from 'node:crypto';
import type { PersonInBrowser } from './person.ts';

/** Tokens as the token endpoint gives them. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string;
}

export const redirectUri = 'http://127.0.0.1:5555/callback';

/** A client by hand, which can also do what a proper one never would. */
export class RawOAuthClient {
  readonly luna: string;
  clientId = '';
  readonly verifier = randomBytes(32).toString('base64url');

  /** `luna`: where it is, without a slash at the end. */
  constructor(luna: string) {
    this.luna = luna;
  }

  async register(metadata: object = {}): Promise<Response> {
    const response = await fetch(`${this.luna}/api/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'A client of tests',
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        ...metadata,
      }),
    });
    const body: { client_id?: string } = await response.clone().json();
    this.clientId = body.client_id ?? '';
    return response;
  }

  /** The address that a person is sent to. An empty value leaves a parameter out. */
  authorizeUrl(change: Record<string, string> = {}): URL {
    const url = new URL(`${this.luna}/api/authorize`);
    const parameters = {
      response_type: 'code',
      client_id: this.clientId,
      redirect_uri: redirectUri,
      scope: 'mcp',
      state: 'a-state',
      resource: `${this.luna}/api/mcp`,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...change,
    };
    for (const [name, value] of Object.entries(parameters)) if (value !== '') url.searchParams.set(name, value);
    return url;
  }

  /** What a person who agrees brings back. */
  async code(person: PersonInBrowser, change: Record<string, string> = {}): Promise<string> {
    const page = await person.open(this.authorizeUrl(change));
    const isAsked = page.url.pathname.startsWith(`${new URL(`${this.luna}/`).pathname}auth/consent/`);
    const { url } = isAsked ? await person.press(page.url, 'allow') : page;
    const code = url.searchParams.get('code');
    if (code === null) throw new Error(`No code at ${url}`);
    return code;
  }

  token(parameters: Record<string, string>): Promise<Response> {
    return fetch(`${this.luna}/api/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: this.clientId, ...parameters }),
    });
  }

  exchange(code: string, change: Record<string, string> = {}): Promise<Response> {
    return this.token({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: this.verifier,
      ...change,
    });
  }

  /** Goes the whole way. */
  async tokens(person: PersonInBrowser): Promise<Tokens> {
    if (this.clientId === '') await this.register();
    return (await this.exchange(await this.code(person))).json() as Promise<Tokens>;
  }

  refresh(refresh_token: string): Promise<Response> {
    return this.token({ grant_type: 'refresh_token', refresh_token });
  }

  revoke(token: string): Promise<Response> {
    return fetch(`${this.luna}/api/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: this.clientId, token }),
    });
  }

  /** Asks the hub for its tools. */
  list(token: string): Promise<Response> {
    return fetch(`${this.luna}/api/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'tests', version: '1' } },
      }),
    });
  }
}

export interface HeldTokens {
  readonly access_token: string;
  readonly refresh_token?: string;
}

/** What an official client keeps between requests, and where it sends its person. */
export class ClientMemory {
  held: HeldTokens | undefined;
  sentTo: URL | undefined;
  #information: unknown;
  #verifier = '';

  readonly redirectUrl = redirectUri;
  readonly clientMetadata = {
    client_name: 'An official client',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };

  clientInformation() {
    return this.#information;
  }
  saveClientInformation(information: unknown) {
    this.#information = information;
  }
  tokens() {
    return this.held;
  }
  saveTokens(tokens: HeldTokens) {
    this.held = tokens;
  }
  redirectToAuthorization(url: URL) {
    this.sentTo = url;
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  codeVerifier() {
    return this.#verifier;
  }
}
