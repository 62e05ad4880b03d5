import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AuthorizationServerMetadata,
  auth,
  discoverOAuthServerInfo,
  type FetchLike,
  type OAuthClientInformationMixed,
  OAuthError,
  OAuthErrorCode,
  refreshAuthorization,
} from '@modelcontextprotocol/client';
import { LunaError, messageOf } from '../../../errors/index.ts';
import { refusalIn } from '../../egress/index.ts';
import { type FlowDraft, FlowProvider } from './flow-provider.ts';
import type { AuthorizationFlow, AuthorizationRecord, UpstreamClient, UpstreamTokens } from './record.ts';
import { revoke } from './revocation.ts';
import type { TokenStore } from './token-store.ts';

export interface UpstreamAuthorizationOptions {
  /** The id of the server. */
  readonly server: string;
  readonly url: URL;
  readonly store: TokenStore;
  /** For the requests to the authorization server. */
  readonly fetch: typeof fetch;
  /** A client that was registered by hand; otherwise Luna registers itself. */
  readonly client?: () => Promise<UpstreamClient | undefined>;
  /** What to ask for, separated by spaces. */
  readonly scope?: string;
  /** Gets each secret that Luna comes to hold, so that it can be covered in logs. */
  readonly onSecret?: (secret: string) => void;
  readonly onLog?: (line: string) => void;
}

/** What a server said when it refused a request: where its metadata is, and which rights it wants. */
export interface Challenge {
  readonly resourceMetadataUrl?: URL;
  readonly scope?: string;
}

/** How long a person may take in the browser, in milliseconds, and how many may be at it. */
const flowLifeMs = 15 * 60_000;
const maxFlows = 10;
/** How long a source that ends waits for a renewal, in milliseconds. */
const settleLimitMs = 5_000;
/** How much of what an authorization server says goes into an error. */
const maxQuoted = 400;

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
    const { server, url, store, scope } = this.#options;
    const draft = await this.#draft(redirectUrl);
    try {
      await auth(new FlowProvider(draft), {
        serverUrl: url,
        scope: unionOf(scope, this.#challenge.scope),
        fetchFn: this.#fetch,
        forceReauthorization: true,
      });
    } catch (thrown) {
      throw this.#failure('The authorization could not begin', thrown);
    }
    const { authorizationUrl, state, codeVerifier, client, discovery } = draft;
    if (!authorizationUrl || !state || !codeVerifier || !client || !discovery)
      throw new LunaError('internal', 'The authorization did not begin.');
    if (!/^https?:$/.test(authorizationUrl.protocol))
      throw new LunaError('upstream_error', `"${server}" sends people to ${authorizationUrl.protocol}, not to a page.`);
    const flow: AuthorizationFlow = { owner, startedAt: Date.now(), redirectUrl, codeVerifier, client, discovery };
    await store.change(server, (record) => {
      const usable = record?.serverUrl === url.href ? record : undefined;
      const flows = Object.entries(usable?.flows ?? {}).filter(([, { startedAt }]) => isRecent(startedAt));
      return {
        ...usable,
        serverUrl: url.href,
        client,
        flows: { ...Object.fromEntries(flows.slice(1 - maxFlows)), [digestOf(state)]: flow },
      };
    });
    return authorizationUrl;
  }

  /** Finishes what was begun: trades the code for tokens and stores them. */
  async finish(flow: AuthorizationFlow, answer: { code: string; iss?: string }): Promise<void> {
    const draft: FlowDraft = { ...flow, authMethod: 'none' };
    try {
      await auth(new FlowProvider(draft), {
        serverUrl: this.#options.url,
        authorizationCode: answer.code,
        iss: answer.iss,
        fetchFn: this.#fetch,
      });
    } catch (thrown) {
      throw this.#failure('The authorization could not be finished', thrown);
    }
    const { tokens, client, discovery } = draft;
    if (!tokens) throw new LunaError('upstream_error', `"${this.#options.server}" gave no token.`);
    this.#challenge = {};
    await this.#keep({ tokens, client, discovery });
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
        if (!isRefused(thrown)) throw this.#failure('The authorization could not be refreshed', thrown);
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

  async #draft(redirectUrl: string): Promise<FlowDraft> {
    const { server, url, store, client } = this.#options;
    const { resourceMetadataUrl } = this.#challenge;
    let info: Awaited<ReturnType<typeof discoverOAuthServerInfo>>;
    try {
      info = await discoverOAuthServerInfo(url, { resourceMetadataUrl, fetchFn: this.#fetch });
    } catch (thrown) {
      throw this.#failure('Its authorization server could not be found', thrown);
    }
    if (!info.authorizationServerMetadata) {
      throw new LunaError(
        'upstream_error',
        `The server "${server}" names no authorization server. If it takes a key, put that into its headers.`,
      );
    }
    const record = await store.read(server);
    const methods = info.authorizationServerMetadata.token_endpoint_auth_methods_supported;
    return {
      redirectUrl,
      authMethod: !methods || methods.includes('none') ? 'none' : (methods[0] ?? 'none'),
      client: (await client?.()) ?? reusable(record, url, redirectUrl),
      discovery: structuredClone({ ...info, resourceMetadataUrl: resourceMetadataUrl?.href }) as FlowDraft['discovery'],
    };
  }

  async #keep(kept: Pick<AuthorizationRecord, 'client' | 'discovery'> & { tokens: UpstreamTokens }): Promise<void> {
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

  #failure(what: string, thrown: unknown): LunaError {
    const refusal = thrown instanceof LunaError ? thrown : refusalIn(thrown);
    const why = refusal?.message ?? [messageOf(thrown), causeOf(thrown)].filter(Boolean).join(': ').slice(0, maxQuoted);
    return new LunaError(
      refusal?.code ?? (thrown instanceof OAuthError ? 'upstream_error' : 'source_unavailable'),
      `${what} at the server "${this.#options.server}": ${why}`,
      { cause: thrown },
    );
  }
}

/** By what a state is kept: who reads the file, or a log, cannot use it. */
export function digestOf(state: string): string {
  return createHash('sha256').update(state).digest('base64url');
}

/** Whether a person who began then may still finish. */
export function isRecent(startedAt: number): boolean {
  return Date.now() - startedAt < flowLifeMs;
}

/** All of these scopes, each once; undefined when there is none. */
function unionOf(...scopes: (string | undefined)[]): string | undefined {
  return [...new Set(scopes.join(' ').split(' '))].filter(Boolean).join(' ') || undefined;
}

/** A registration is good for the redirect addresses that were registered. */
function reusable(record: AuthorizationRecord | undefined, url: URL, redirectUrl: string): UpstreamClient | undefined {
  const { client, serverUrl } = record ?? {};
  return serverUrl === url.href && client?.redirect_uris?.includes(redirectUrl) ? client : undefined;
}

/** Whether the authorization server said that this refresh will never succeed. */
function isRefused(thrown: unknown): boolean {
  if (!(thrown instanceof OAuthError)) return false;
  const { InvalidGrant, InvalidClient, UnauthorizedClient, InvalidScope } = OAuthErrorCode;
  return [InvalidGrant, InvalidClient, UnauthorizedClient, InvalidScope].some((code) => code === thrown.code);
}

function isUnknownClient(thrown: unknown): boolean {
  return thrown instanceof OAuthError && thrown.code === OAuthErrorCode.InvalidClient;
}

function causeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : undefined;
}
