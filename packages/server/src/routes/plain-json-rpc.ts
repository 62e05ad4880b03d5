import type { IncomingMessage, ServerResponse } from 'node:http';
import { keysEqual, type Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { bearerOf, type HostGuard } from '../auth/guards.ts';
import type { WrongKeys } from '../auth/wrong-keys.ts';
import { sendError } from '../http-errors.ts';
import { requestIdOf } from '../log/request-id.ts';

const tokenName = 'AUTH_TOKEN';

export interface PlainJsonRpcRouteOptions {
  readonly hosts: HostGuard;
  readonly wrongKeys: WrongKeys;
  /** Wins over the one in `.env`. */
  readonly token?: string | undefined;
  readonly onError?: ((error: unknown, request: { method: string; path: string }) => void) | undefined;
}

/** Plain JSON-RPC at /mcp behind AUTH_TOKEN; nothing is there while that is not set. False for any other path. */
export function plainJsonRpcRoute(
  luna: Luna,
  options: PlainJsonRpcRouteOptions,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const plain = luna.plainJsonRpc((error) => options.onError?.(error, { method: 'POST', path: '/mcp' }));
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      options.hosts.assertMeantForUs(request.headers);
      await assertAllowed(luna, options, request);
      if (request.method !== 'POST') {
        response.setHeader('allow', 'POST');
        response.writeHead(405).end();
      } else await plain.handle(request, response, { requestId: requestIdOf(request) });
    } catch (thrown) {
      sendError(response, thrown);
    }
  };
  return (request, response) => {
    if (!/^\/mcp\/?(?:\?|$)/.test(request.url ?? '')) return false;
    void answer(request, response);
    return true;
  };
}

async function assertAllowed(
  luna: Luna,
  { token, wrongKeys }: PlainJsonRpcRouteOptions,
  request: IncomingMessage,
): Promise<void> {
  const expected = token ?? (await luna.env.read())[tokenName];
  if (!expected) throw new LunaError('not_found', `There is nothing at /mcp: ${tokenName} is not set in .env.`);
  const given = bearerOf(request.headers);
  if (given !== undefined && keysEqual(given, expected)) return;
  await wrongKeys.note(request, given);
  throw new LunaError('unauthorized', `Plain JSON-RPC wants its token: send "Authorization: Bearer <${tokenName}>".`);
}
