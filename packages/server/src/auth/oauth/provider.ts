import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { publicPathOf } from '@luna/core/config';
import { Accounts, Consents, type Store } from '@luna/core/store';
import type { JWK } from 'jose';
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { errorPage } from '../../pages/error-page.ts';
import { lunaPolicy } from './interaction-policy.ts';
import { consentPath, grantClaim, toolScope } from './names.ts';
import { RecordsAdapter } from './records-adapter.ts';
import { signingAlgorithm } from './signing-keys.ts';

const knownScopes = ['openid', 'offline_access', toolScope];
const hour = 3600;
const day = 24 * hour;

export interface ProviderOptions {
  /** The public address of Luna. */
  readonly issuer: string;
  readonly store: Store;
  readonly signingKeys: readonly JWK[];
  readonly cookieKeys: readonly string[];
  /** The account that is signed in to Luna in the browser of this request. */
  readonly accountOf: (request: IncomingMessage) => string | undefined;
  /** Whether an account that signed in once still may. */
  readonly isAllowed: (accountId: string) => Promise<boolean>;
  /** Whether a URL names the hub `main`. */
  readonly isResource: (url: string) => boolean;
  /** Asks for the document by which a client describes itself. */
  readonly fetch: typeof fetch;
}

/**
 * Luna as an authorization server (OAuth 2.1 as MCP asks for it, authorization specification of 2025-11-25 and
 * 2026-07-28): dynamic registration and client-id documents, PKCE with S256 only, resource indicators, refresh tokens
 * that are good for one use.
 */
export function createProvider(options: ProviderOptions): Provider {
  const { issuer, store, signingKeys, cookieKeys, isResource } = options;
  const accounts = new Accounts(store);
  const consents = new Consents(store);
  const basePath = publicPathOf(issuer);
  const provider = new Provider(issuer, {
    adapter: (kind: string) => new RecordsAdapter(kind, store),
    jwks: { keys: [...signingKeys] as never },
    cookies: {
      keys: [...cookieKeys],
      names: { session: 'luna_oauth', interaction: 'luna_oauth_ask', resume: 'luna_oauth_resume' },
      long: { httpOnly: true, sameSite: 'lax', path: basePath || '/' },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    routes: {
      authorization: '/api/authorize',
      token: '/api/token',
      registration: '/api/register',
      revocation: '/api/revoke',
      jwks: '/api/jwks',
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: false },
      registration: {
        enabled: true,
        initialAccessToken: false,
        issueRegistrationAccessToken: false,
        // The one place that sees what a client says of itself before it is judged.
        idFactory: ({ oidc }) => {
          const { body } = oidc;
          if (typeof body?.scope === 'string') body.scope = grantableScope(body.scope);
          return randomBytes(32).toString('base64url');
        },
      },
      revocation: { enabled: true },
      clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `${issuer}/api/mcp`,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => {
          if (!isResource(resource)) throw new errors.InvalidTarget();
          return {
            scope: toolScope,
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: hour,
            jwt: { sign: { alg: signingAlgorithm } },
          };
        },
      },
    },
    fetch: options.fetch,
    // Most clients are programs on somebody's machine, and do not say so.
    clientDefaults: { application_type: 'native', id_token_signed_response_alg: signingAlgorithm },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    clientBasedCORS: () => true,
    scopes: knownScopes,
    claims: { openid: ['sub'] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    extraTokenClaims: (_context, token) => ('grantId' in token ? { [grantClaim]: token.grantId } : undefined),
    ttl: {
      AccessToken: hour,
      AuthorizationCode: 60,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: 30 * day,
      Session: 7 * day,
      Grant: 365 * day,
    },
    interactions: {
      policy: lunaPolicy({ accountOf: options.accountOf, consents }),
      url: (_context, { uid }) => `${basePath}${consentPath}/${uid}`,
    },
    loadExistingGrant: async ({ oidc }) => {
      const { accountId } = oidc.session ?? {};
      const given = oidc.result?.consent?.grantId;
      const known = accountId && oidc.client ? await consents.find(accountId, oidc.client.clientId) : undefined;
      const id = given ?? known?.grantId;
      return id === undefined ? undefined : oidc.provider.Grant.find(id);
    },
    findAccount: async (_context, id) => {
      const account = await accounts.get(id);
      if (!account || !(await options.isAllowed(id))) return undefined;
      return { accountId: id, claims: () => ({ sub: id }) };
    },
    renderError: (context, out) => {
      context.type = 'html';
      context.body = errorPage(out.error_description ?? out.error, basePath);
    },
  });
  // What is asked of it comes with the public address written in, see `AuthorizationServer.answer`.
  provider.proxy = true;
  provider.use((context, next) => {
    // The base path is taken off requests, and stands in all addresses that it writes.
    context.mountPath = basePath;
    return next();
  });
  provider.use(askForTools);
  return provider;
}

/** A client that comes here wants the tools: without them a token would open nothing. */
function askForTools(context: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  const { scope = '' } = context.query;
  if (context.method === 'GET' && context.path === '/api/authorize' && typeof scope === 'string') {
    context.query = { ...context.query, scope: grantableScope(scope) };
  }
  return next();
}

/** Clients ask for scopes of other servers too. What there is of them, and the tools in any case (RFC 6749, section 3.3). */
function grantableScope(asked: string): string {
  const known = asked.split(' ').filter((scope) => knownScopes.includes(scope));
  return [...new Set([...known, toolScope])].join(' ');
}
