import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { onTestFinished } from 'vitest';
import {
  type FeatureHttpServer,
  startFeatureServer,
} from '../../../packages/core/test/fixtures/feature-http-server.ts';

/** An MCP server that trusts an authorization server of another make, on another port. */
export interface OidcProtectedServer {
  readonly mcp: FeatureHttpServer;
  /** Forgets an access token, as its end does. */
  expire(accessToken: string): Promise<void>;
  isValid(token: string): Promise<boolean>;
  /** Opens a page as a browser does, whose person agrees to all; returns where they are sent back to. */
  agree(authorizationUrl: string, back: string): Promise<URL>;
  /** The access tokens that came with requests, each once. */
  readonly seen: Set<string>;
}

export async function startOidcProtectedServer(): Promise<OidcProtectedServer> {
  const http = createServer();
  await new Promise<void>((settle) => http.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  let resource = '';
  const provider = providerOf(issuer, () => resource);
  const answer = provider.callback();
  http.on('request', (request, response) => {
    if (request.url?.startsWith('/agree/')) void agreeTo(provider, request, response);
    else void answer(request, response);
  });
  const seen = new Set<string>();
  const mcp = await startFeatureServer('v1 streamable', 0, async (request, response) => {
    const metadata = `${new URL(resource).origin}/.well-known/oauth-protected-resource/mcp`;
    if (request.url?.startsWith('/.well-known/')) {
      const body = { resource, authorization_servers: [issuer], scopes_supported: ['tools'] };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
      return true;
    }
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const found = token === '' ? undefined : await provider.AccessToken.find(token);
    if (found?.aud === resource) {
      seen.add(token);
      return false;
    }
    response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${metadata}"` }).end();
    return true;
  });
  onTestFinished(() => mcp.close());
  resource = mcp.url.href;
  return {
    mcp,
    seen,
    expire: async (token) => void (await (await provider.AccessToken.find(token))?.destroy()),
    isValid: async (token) => (await provider.AccessToken.find(token)) !== undefined,
    agree: browse,
  };
}

function providerOf(issuer: string, resource: () => string): Provider {
  return new Provider(issuer, {
    features: {
      registration: { enabled: true, initialAccessToken: false },
      revocation: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'tools', accessTokenFormat: 'opaque', accessTokenTTL: 3600 }),
        useGrantedResource: () => true,
        defaultResource: resource,
      },
    },
    scopes: ['openid', 'offline_access', 'tools'],
    rotateRefreshToken: true,
    pkce: { required: () => true },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    cookies: { keys: ['a key for tests'] },
    interactions: { url: (_context, { uid }) => `/agree/${uid}` },
  });
}

/** Signs everybody in as the same person, who allows what is asked for. */
async function agreeTo(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    const result = { login: { accountId: 'someone' } };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  const grant = new provider.Grant({ accountId: 'someone', clientId: String(params.client_id) });
  const { missingOIDCScope, missingResourceScopes = {} } = prompt.details as {
    missingOIDCScope?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [indicator, scopes] of Object.entries(missingResourceScopes))
    grant.addResourceScope(indicator, scopes.join(' '));
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

async function browse(from: string, back: string): Promise<URL> {
  const cookies = new Map<string, string>();
  for (let url = new URL(from), hop = 0; hop < 10; hop++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) throw new Error(`${url} answered with ${response.status}: ${await response.text()}`);
    url = new URL(location, url);
    if (url.href.startsWith(back)) return url;
  }
  throw new Error('The pages lead in a circle.');
}
