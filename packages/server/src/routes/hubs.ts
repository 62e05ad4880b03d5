import type { IncomingMessage, ServerResponse } from 'node:http';
import { keysEqual, type Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { bearerOf, type HostGuard } from '../auth/guards.ts';
import { toHttpError } from '../http-errors.ts';

/**
 * Hubs at /api/mcp-<name>, each behind its key. They answer on Node's request and response in front of Koa: nearly all
 * traffic is theirs, and they need nothing of what Koa would prepare for each request. False when the path is no hub's.
 */
export function hubRoutes(
  luna: Luna,
  guard: HostGuard,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const name = /^\/api\/mcp-([a-z0-9-]+)(?:\/|\/sse|\/messages)?(?:\?|$)/.exec(request.url ?? '')?.[1];
    if (name === undefined) return false;
    try {
      guard.assertMeantForUs(request.headers);
      const key = bearerOf(request.headers);
      const running = key === undefined ? undefined : luna.hubs.open(name, key);
      if (!running) throw refusalOf(luna, name, key);
      void running.http.handle(request, response, { owner: name });
    } catch (thrown) {
      refuse(response, thrown);
    }
    return true;
  };
}

/** A hub that is not there answers as one whose key is wrong: its name stays unknown. */
function refusalOf(luna: Luna, name: string, key: string | undefined): LunaError {
  const hubs = luna.config.config.mcp_servers;
  const configured = Object.hasOwn(hubs, name) ? hubs[name]?.api_key : undefined;
  if (key !== undefined && configured !== undefined && keysEqual(configured, key)) {
    return new LunaError('forbidden', `The hub "${name}" is switched off.`);
  }
  return new LunaError('unauthorized', `The hub "${name}" wants its key: send "Authorization: Bearer <key>".`);
}

function refuse(response: ServerResponse, thrown: unknown): void {
  const { status, body } = toHttpError(thrown);
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer realm="luna"' } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...challenge });
  response.end(JSON.stringify(body));
}
