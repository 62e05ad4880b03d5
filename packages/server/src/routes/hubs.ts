import type { IncomingMessage, ServerResponse } from 'node:http';
import { healthOfHub, keyOpens, type Luna, type RunningHub } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { bearerOf, type HostGuard } from '../auth/guards.ts';
import type { WrongKeys } from '../auth/wrong-keys.ts';
import { sendError } from '../http-errors.ts';
import { requestIdOf, tellRequestId } from '../log/request-id.ts';

/**
 * Hubs at /api/mcp-<name>, each behind its key. They answer on Node's request and response in front of Koa: nearly all
 * traffic is theirs, and they need nothing of what Koa would prepare for each request. False when the path is no hub's.
 */
export function hubRoutes(
  luna: Luna,
  guard: HostGuard,
  wrongKeys: WrongKeys,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const name = /^\/api\/mcp-([a-z0-9-]+)(?:\/|\/sse|\/messages|\/health)?(?:\?|$)/.exec(request.url ?? '')?.[1];
    if (name === undefined) return false;
    try {
      guard.assertMeantForUs(request.headers);
      const key = bearerOf(request.headers);
      const running = key === undefined ? undefined : luna.hubs.open(name, key);
      if (running && isHealthRequest(request)) answerHealth(luna, running, response);
      else if (running) void running.http.handle(request, response, { owner: name, requestId: requestIdOf(request) });
      else void refuseKey(luna, name, key, { request, response, wrongKeys });
    } catch (thrown) {
      sendError(response, thrown);
    }
    return true;
  };
}

/** Whether a hub is asked how it is: GET below its address, for those who may use it. */
export function isHealthRequest({ method, url = '' }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && /^[^?]*\/health(?:\?|$)/.test(url);
}

/** Says how a hub is, and the plugins that it serves. */
export function answerHealth(luna: Luna, { hub }: RunningHub, response: ServerResponse): void {
  tellRequestId(response);
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(healthOfHub(hub, luna.registry)));
}

async function refuseKey(
  luna: Luna,
  name: string,
  key: string | undefined,
  { request, response, wrongKeys }: { request: IncomingMessage; response: ServerResponse; wrongKeys: WrongKeys },
): Promise<void> {
  try {
    const refusal = refusalOf(luna, name, key);
    if (refusal.code === 'unauthorized') await wrongKeys.note(request, key);
    throw refusal;
  } catch (thrown) {
    sendError(response, thrown);
  }
}

/** A hub that is not there answers as one whose key is wrong: its name stays unknown. */
function refusalOf(luna: Luna, name: string, key: string | undefined): LunaError {
  const hubs = luna.config.config.mcp_servers;
  const configured = Object.hasOwn(hubs, name) ? hubs[name] : undefined;
  if (key !== undefined && configured && keyOpens(configured, key)) {
    return new LunaError('forbidden', `The hub "${name}" is switched off.`);
  }
  return new LunaError('unauthorized', `The hub "${name}" wants its key: send "Authorization: Bearer <key>".`);
}
