import { createHash } from 'node:crypto';
import { auth, discoverOAuthServerInfo, type FetchLike } from '@modelcontextprotocol/client';
import { LunaError } from '../../../errors/index.ts';
import { authorizationFailure } from './failure.ts';
import { type FlowDraft, FlowProvider } from './flow-provider.ts';
import type { AuthorizationFlow, AuthorizationRecord, UpstreamClient, UpstreamTokens } from './record.ts';
import type { TokenStore } from './token-store.ts';

/** What a person does in the browser to let Luna in at one MCP server: begun here, and finished with what comes back. */

export interface FlowOptions {
  /** The id of the server. */
  readonly server: string;
  readonly url: URL;
  readonly store: TokenStore;
  /** For the requests to the authorization server. */
  readonly fetch: FetchLike;
  /** A client that was registered by hand; otherwise Luna registers itself. */
  readonly client?: () => Promise<UpstreamClient | undefined>;
  /** What to ask for, separated by spaces. */
  readonly scope?: string;
}

/** What a server said when it refused a request: where its metadata is, and which rights it wants. */
export interface Challenge {
  readonly resourceMetadataUrl?: URL;
  readonly scope?: string;
}

/** What comes of a flow that was finished. */
export type FinishedFlow = Pick<AuthorizationRecord, 'client' | 'discovery'> & { readonly tokens: UpstreamTokens };

/** How long a person may take in the browser, in milliseconds, and how many may be at it. */
const flowLifeMs = 15 * 60_000;
const maxFlows = 10;

/** Begins a flow and keeps it; returns where the person has to go. `owner` is who may finish it. */
export async function beginFlow(
  options: FlowOptions,
  challenge: Challenge,
  redirectUrl: string,
  owner: string,
): Promise<URL> {
  const { server, url, store, scope } = options;
  const draft = await draftOf(options, challenge, redirectUrl);
  try {
    await auth(new FlowProvider(draft), {
      serverUrl: url,
      scope: unionOf(scope, challenge.scope),
      fetchFn: options.fetch,
      forceReauthorization: true,
    });
  } catch (thrown) {
    throw authorizationFailure(server, 'The authorization could not begin', thrown);
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

/** Trades the code of a flow that was begun for tokens. */
export async function finishFlow(
  { server, url, fetch }: FlowOptions,
  flow: AuthorizationFlow,
  answer: { code: string; iss?: string },
): Promise<FinishedFlow> {
  const draft: FlowDraft = { ...flow, authMethod: 'none' };
  try {
    await auth(new FlowProvider(draft), {
      serverUrl: url,
      authorizationCode: answer.code,
      iss: answer.iss,
      fetchFn: fetch,
    });
  } catch (thrown) {
    throw authorizationFailure(server, 'The authorization could not be finished', thrown);
  }
  const { tokens, client, discovery } = draft;
  if (!tokens) throw new LunaError('upstream_error', `"${server}" gave no token.`);
  return { tokens, client, discovery };
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
export function unionOf(...scopes: (string | undefined)[]): string | undefined {
  return [...new Set(scopes.join(' ').split(' '))].filter(Boolean).join(' ') || undefined;
}

async function draftOf(
  options: FlowOptions,
  { resourceMetadataUrl }: Challenge,
  redirectUrl: string,
): Promise<FlowDraft> {
  const { server, url, store, client } = options;
  let info: Awaited<ReturnType<typeof discoverOAuthServerInfo>>;
  try {
    info = await discoverOAuthServerInfo(url, { resourceMetadataUrl, fetchFn: options.fetch });
  } catch (thrown) {
    throw authorizationFailure(server, 'Its authorization server could not be found', thrown);
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

/** A registration is good for the redirect addresses that were registered. */
function reusable(record: AuthorizationRecord | undefined, url: URL, redirectUrl: string): UpstreamClient | undefined {
  const { client, serverUrl } = record ?? {};
  return serverUrl === url.href && client?.redirect_uris?.includes(redirectUrl) ? client : undefined;
}
