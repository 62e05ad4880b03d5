import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AuthorizationServerMetadata,
  type FetchLike,
  type OAuthClientInformationMixed,
  refreshAuthorization,
} from '@modelcontextprotocol/client';
import { LunaError, messageOf } from '../../../errors/index.ts';
import { beginFlow, type Challenge, type FinishedFlow, type FlowOptions, finishFlow, unionOf } from './browser-flow.ts';
import { authorizationFailure, isRefused, isUnknownClient } from './failure.ts';
import type { AuthorizationFlow, AuthorizationRecord } from './record.ts';
import { revoke } from './revocation.ts';

export interface UpstreamAuthorizationOptions extends FlowOptions {
  readonly fetch: typeof fetch;
  /** Gets each secret that Luna comes to hold, so that it can be covered in logs. */
  readonly onSecret?: (secret: string) => void;
  readonly onLog?: (line: string) => void;
}

/** How long a source that ends waits for a renewal, in milliseconds. */
const settleLimitMs = 5_000;

/**
 * Luna's authorization at one MCP server: begun and finished by a person in the browser, then kept fresh. Tokens are
 * refreshed ahead of their end, once for all who wait, in this process and in others.
 */
export class UpstreamAuthorization {
  readonly #options: UpstreamAuthorizationOptions;
  #record: AuthorizationRecord | undefined;
  #loaded = false;
  #renewing: Promise<string> | undefined;
  #challenge: Challenge = {};

  constructor(options: UpstreamAuthorizationOptions) {
    this.#options = options;
  }

  /** Whether there are tokens, good or not. */
  get isAuthorized(): boolean {
    return this.#record?.tokens !== undefined;
  }

  /** Whether it is known that there are no tokens, as at servers that want none. */
  get isUnused(): boolean {
    return this.#loaded && this.#record?.tokens === undefined;
  }

  /** The access token if it is at hand and good; asking costs nothing. See {@link token}. */
  peek(): string | undefined {
    const tokens = this.#record?.tokens;
    return tokens && Date.now() < this.#renewFrom() ? tokens.access_token : undefined;
  }

  /** The access token, refreshed if need be; undefined when nobody has authorized Luna. */
  async token(): Promise<string | undefined> {
    if (!this.#loaded) await this.#load();
    const tokens = this.#record?.tokens;
    if (!tokens || this.peek() !== undefined || tokens.refresh_token === undefined) return tokens?.access_token;
    const renewal = this.renew(tokens.access_token);
    const { expiresAt = Number.POSITIVE_INFINITY } = this.#record ?? {};
    if (Date.now() >= expiresAt) return renewal;
    // It is still good: whoever calls now need not wait, and a failure shows when it counts.
    renewal.catch((thrown) => this.#options.onLog?.(messageOf(thrown)));
    return tokens.access_token;
  }

  /**
   * Another token instead of one that the server refused or that ends soon. Throws `needs_authorization` when a
   * person has to authorize Luna anew, and `source_unavailable` when the authorization server does not answer; the
   * token that is stored then stays.
   */
  async renew(rejected: string | undefined, challenge: Challenge = {}): Promise<string> {
    this.#challenge = { ...this.#challenge, ...challenge };
    if (!this.#loaded) await this.#load();
    const present = this.peek();
    if (present !== undefined && present !== rejected) return present;
    this.#renewing ??= this.#renew(rejected).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** The error of a request for which the token has too few rights. The next {@link begin} asks for those too. */
  tooWeak(challenge: Challenge): LunaError {
    const { server } = this.#options;
    this.#challenge = { ...challenge, scope: unionOf(this.#record?.tokens?.scope, challenge.scope) };
    return new LunaError(
      'forbidden',
      `The server "${server}" wants more rights for this${challenge.scope ? ` (${challenge.scope})` : ''} than Luna was given. Authorize Luna there anew: in the UI, or with "npx luna authorize ${server}".`,
      { details: { source: server } },
    );
  }

  /** Waits for a renewal under way, but not for long: its outcome must be stored, or the next start has a spent token. */
  async settled(): Promise<void> {
    await Promise.race([this.#renewing?.catch(() => undefined), sleep(settleLimitMs, undefined, { ref: false })]);
  }

  /** Begins an authorization; returns where the person has to go. `owner` is who may {@link finish} it. */
  async begin(redirectUrl: string, owner: string): Promise<URL> {
    return beginFlow({ ...this.#options, fetch: this.#fetch }, this.#challenge, redirectUrl, owner);
  }

  /** Finishes what was begun: trades the code for tokens and stores them. */
  async finish(flow: AuthorizationFlow, answer: { code: string; iss?: string }): Promise<void> {
    const kept = await finishFlow({ ...this.#options, fetch: this.#fetch }, flow, answer);
    this.#challenge = {};
    await this.#keep(kept);
  }

  /** Forgets the tokens, and tells the authorization server so, where it wants to hear of it. */
  async disconnect(): Promise<void> {
    const { server, store, fetch } = this.#options;
    if (!(await store.has(server))) return;
    const record = await store.read(server);
    await store.change(server, () => undefined);
    this.#record = undefined;
    if (!record) return;
    try {
      await revoke(record, fetch);
    } catch (thrown) {
      this.#options.onLog?.(`The authorization server did not take the tokens back: ${messageOf(thrown)}`);
    }
  }

  async #renew(rejected: string | undefined): Promise<string> {
    if (!this.#record?.tokens) await this.#load();
    if (!this.#record?.tokens) throw this.needed();
    const { server, store } = this.#options;
    return store.exclusively(server, async () => {
      await this.#load();
      const { tokens, client, discovery } = this.#record ?? {};
      const present = this.peek();
      // Another process was faster.
      if (present !== undefined && present !== rejected) return present;
      if (!tokens?.refresh_token || !client || !discovery) throw this.needed();
      const resource = discovery.resourceMetadata?.resource;
      try {
        const renewed = await refreshAuthorization(discovery.authorizationServerUrl, {
          metadata: discovery.authorizationServerMetadata as AuthorizationServerMetadata | undefined,
          clientInformation: client as OAuthClientInformationMixed,
          refreshToken: tokens.refresh_token,
          resource,
          fetchFn: this.#fetch,
        });
        await this.#keep({ tokens: { ...tokens, ...renewed }, client, discovery });
        return renewed.access_token;
      } catch (thrown) {
        if (!isRefused(thrown)) throw authorizationFailure(server, 'The authorization could not be refreshed', thrown);
        this.#options.onLog?.(`The authorization server refuses to refresh: ${messageOf(thrown)}`);
        // A registration that is gone would only lead the person to an error page.
        if (isUnknownClient(thrown)) await store.change(server, (kept) => kept && { ...kept, client: undefined });
        throw this.needed(thrown);
      }
    });
  }

  /** The error of a server at which nobody has authorized Luna, or no longer. */
  needed(cause?: unknown): LunaError {
    const { server } = this.#options;
    const again = this.#record?.tokens ? 'no longer accepts the authorization of Luna' : 'wants to be authorized';
    return new LunaError(
      'needs_authorization',
      `The server "${server}" ${again}. Press "Authorize" in the UI, or run "npx luna authorize ${server}". If it takes a key instead, put that into its headers.`,
      { cause, details: { source: server } },
    );
  }

  async #keep(kept: FinishedFlow): Promise<void> {
    const { server, url, store } = this.#options;
    const { expires_in } = kept.tokens;
    const expiresAt = expires_in === undefined ? undefined : Date.now() + expires_in * 1000;
    await store.change(server, (record) => {
      const next = { ...kept, serverUrl: url.href, expiresAt, flows: record?.flows ?? {} };
      this.#take(next);
      return next;
    });
  }

  async #load(): Promise<void> {
    const { server, url, store } = this.#options;
    const record = await store.read(server);
    this.#take(record?.serverUrl === url.href ? record : undefined);
  }

  #take(record: AuthorizationRecord | undefined): void {
    this.#record = record;
    this.#loaded = true;
    for (const secret of [record?.tokens?.access_token, record?.tokens?.refresh_token, record?.client?.client_secret])
      if (secret) this.#options.onSecret?.(secret);
  }

  /** From when on a token is refreshed: a fifth of its life, but at most a minute, ahead of its end. */
  #renewFrom(): number {
    const { tokens, expiresAt } = this.#record ?? {};
    if (expiresAt === undefined) return Number.POSITIVE_INFINITY;
    return expiresAt - Math.min(60_000, (tokens?.expires_in ?? 0) * 200);
  }

  get #fetch(): FetchLike {
    return (url, init) => this.#options.fetch(url, { ...init, signal: init?.signal ?? AbortSignal.timeout(30_000) });
  }
}
