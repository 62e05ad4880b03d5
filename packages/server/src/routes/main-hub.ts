import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { bearerOf, type HostGuard } from '../auth/guards.ts';
import type { AuthorizationServer } from '../auth/oauth/authorization-server.ts';
import { toolScope } from '../auth/oauth/names.ts';
import type { WrongKeys } from '../auth/wrong-keys.ts';
import { sendError } from '../http-errors.ts';
import { requestIdOf } from '../log/request-id.ts';
import { answerHealth, isHealthRequest } from './hubs.ts';
import { resourceMetadataPath } from './oauth.ts';

const paths = /^\/api\/mcp(?:\/|\/sse|\/messages|\/health)?(?:\?|$)/;

/**
 * The hub `main` at /api/mcp, for clients that people let in (MCP authorization specification). It answers in front of
 * Koa as the other hubs do. False when the path is another one.
 */
export function mainHubRoute(
  luna: Luna,
  { server, hosts, wrongKeys }: { server: AuthorizationServer; hosts: HostGuard; wrongKeys: WrongKeys },
): (request: IncomingMessage, response: ServerResponse) => boolean {
  server.onRevoked((grantId) => luna.hubs.get('main')?.http.closeOwner(ownerOf(grantId)));
  return (request, response) => {
    if (!paths.test(request.url ?? '')) return false;
    void answer(request, response).catch((thrown) => sendError(response, thrown));
    return true;
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    hosts.assertMeantForUs(request.headers);
    const token = bearerOf(request.headers);
    const access = token === undefined ? undefined : await server.verify(token);
    if (access === undefined || typeof access === 'string') {
      if (access === 'invalid_token') await wrongKeys.note(request, token);
      return refuse(request, response, access);
    }
    const running = luna.hubs.get('main');
    if (!running) throw new LunaError('forbidden', 'The hub "main" is switched off.');
    if (isHealthRequest(request)) return answerHealth(luna, running, response);
    await running.http.handle(request, response, {
      owner: ownerOf(access.grantId),
      requestId: requestIdOf(request),
    });
  }

  /** Says where a client learns how to get in (RFC 9728, section 5.1; RFC 6750, section 3). */
  function refuse(request: IncomingMessage, response: ServerResponse, why: string | undefined): void {
    // Below the base path, which always leads here; what lies at the root of the host may be somebody else's.
    const metadata = server.placeOf(request) + resourceMetadataPath;
    const parts = [
      ...(why === undefined ? [] : [`error="${why}"`]),
      `resource_metadata="${metadata}"`,
      `scope="${toolScope}"`,
    ];
    const message =
      why === undefined
        ? 'The hub "main" is for clients that a person lets in: ask for an access token, as "WWW-Authenticate" says.'
        : 'The access token is not good for this hub, or not any more.';
    response.setHeader('www-authenticate', `Bearer ${parts.join(', ')}`);
    sendError(response, new LunaError(why === 'insufficient_scope' ? 'forbidden' : 'unauthorized', message));
  }
}

/** Sessions belong to a consent: they end with it. */
function ownerOf(grantId: string): string {
  return `grant:${grantId}`;
}
