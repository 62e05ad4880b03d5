import type { IncomingMessage, ServerResponse } from 'node:http';
import { clientAddress } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { HostGuard } from '../auth/guards.ts';
import { type AuthorizationServer, mainHubPath } from '../auth/oauth/authorization-server.ts';
import { toolScope } from '../auth/oauth/names.ts';
import { sendError } from '../http-errors.ts';

export interface OAuthRoutesOptions {
  readonly server: AuthorizationServer;
  readonly hosts: HostGuard;
  readonly trustedProxies: () => readonly string[];
  readonly onError?: ((error: unknown, request: { method: string; path: string }) => void) | undefined;
}

/** Where a client learns who lets it in to the hub `main` (RFC 9728). */
export const resourceMetadataPath = `/.well-known/oauth-protected-resource${mainHubPath}`;

/** How many clients may register themselves from one address within a minute. */
const registrationsPerMinute = 30;
const serverPaths =
  /^\/(?:\.well-known\/(?:oauth-authorization-server|openid-configuration)|api\/(?:authorize(?:\/[\w-]+)?|token|register|revoke|jwks))$/;
const metadataPaths = /^\/\.well-known\/oauth-protected-resource(?:\/api\/mcp(?:\/sse|\/messages)?)?$/;

/**
 * The endpoints of OAuth, in front of Koa: they come from everywhere, pages of other sites among them, and carry
 * nothing of a browser session but what the authorization server itself looks at. False when the path is none of them.
 */
export function oauthRoutes({ server, hosts, trustedProxies, onError }: OAuthRoutesOptions) {
  const registrations = new RateLimiterMemory({ points: registrationsPerMinute, duration: 60 });

  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = pathOf(request);
    const isMetadata = metadataPaths.test(path);
    if (!isMetadata && !serverPaths.test(path)) return false;
    void answer(request, response, path, isMetadata).catch((thrown) => {
      onError?.(thrown, { method: request.method ?? '', path });
      if (!response.headersSent) sendError(response, thrown);
    });
    return true;
  };

  async function answer(request: IncomingMessage, response: ServerResponse, path: string, isMetadata: boolean) {
    hosts.assertKnownHost(request.headers);
    if (isMetadata) return answerMetadata(request, response);
    if (path === '/api/register') {
      // Clients that live in a page register from there. Nobody is known by what a browser sends along.
      response.setHeader('access-control-allow-origin', '*');
      if (request.method === 'OPTIONS') return answerPreflight(response);
      if (request.method === 'POST') await countRegistration(request);
    }
    await server.answer(request, response);
  }

  function answerPreflight(response: ServerResponse): void {
    response.writeHead(204, {
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, mcp-protocol-version',
    });
    response.end();
  }

  function answerMetadata(request: IncomingMessage, response: ServerResponse): void {
    const { method } = request;
    const body = {
      // Clients refuse metadata of another address than the one that they asked.
      resource: server.placeOf(request) + mainHubPath,
      authorization_servers: [server.issuer],
      scopes_supported: [toolScope],
      bearer_methods_supported: ['header'],
      resource_name: 'Luna',
    };
    response.writeHead(method === 'OPTIONS' ? 204 : 200, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': 'mcp-protocol-version',
    });
    response.end(method === 'OPTIONS' || method === 'HEAD' ? '' : JSON.stringify(body));
  }

  async function countRegistration({ socket, headers }: IncomingMessage): Promise<void> {
    const forwarded = [headers['x-forwarded-for']].flat().join(',') || undefined;
    const who = clientAddress(socket.remoteAddress, forwarded, trustedProxies());
    try {
      await registrations.consume(who);
    } catch (thrown) {
      if (thrown instanceof Error) throw thrown;
      throw new LunaError('limit_exceeded', 'Too many clients were registered from your address.', {
        details: { retryAfterSeconds: 60 },
      });
    }
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
