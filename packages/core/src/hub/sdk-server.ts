import { ProtocolError, Server, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { McpObject } from '../tools/index.ts';
import type { McpHub } from './hub.ts';
import { requestIdHeader } from './json-answer.ts';
import { answerRequest, commonMethods } from './requests.ts';
import { rpcCodes, toRpcError } from './rpc-error.ts';
import type { SuspendedCalls } from './suspended-calls.ts';

/** The SDK parses what handlers take and give and drops fields that it does not know; a hub relays them. */
class RelayServer extends Server {
  protected override _wrapHandler: Server['_wrapHandler'] = (_method, handler) => handler;
}

const anyParams = z.looseObject({});

/** A server object of the SDK for one request of 2026-07-28, that answers from the hub. */
export function createSdkServer(hub: McpHub, suspended: SuspendedCalls, owner: string): Server {
  const { capabilities } = hub.catalog;
  const { instructions } = hub;
  const server = new RelayServer(
    { ...hub.serverInfo },
    { capabilities, ...(instructions !== undefined && { instructions }) },
  );
  for (const method of commonMethods) {
    const [feature = ''] = method.split('/');
    if (capabilities[feature === 'completion' ? 'completions' : feature] === undefined) continue;
    server.setRequestHandler(method, { params: anyParams }, async (params, context) => {
      try {
        return await answer(hub, suspended, owner, method, params, context);
      } catch (thrown) {
        const { code, message, data } = toRpcError(thrown, hub.redact);
        // The 2025 protocols had a code of its own for a resource that is not there.
        throw new ProtocolError(code === rpcCodes.resourceNotFound ? rpcCodes.invalidParams : code, message, data);
      }
    });
  }
  return server;
}

function answer(
  hub: McpHub,
  suspended: SuspendedCalls,
  owner: string,
  method: string,
  params: McpObject,
  { mcpReq, http }: ServerContext,
): Promise<McpObject> {
  const { _meta, inputResponses, requestState, ...rest } = params;
  return suspended.run({
    owner,
    requestId: http?.req?.headers.get(requestIdHeader) ?? undefined,
    meta: { ...metaOf(mcpReq._meta), ...metaOf(_meta), ...mcpReq.envelope },
    inputResponses: inputResponses ?? mcpReq.inputResponses,
    requestState: requestState ?? mcpReq.requestState(),
    // A client that has gone does not hear of it; its call is cancelled by other means.
    tell: (method, params) => void mcpReq.notify({ method, params: { ...params } }).catch(() => undefined),
    onGone: (listener) => mcpReq.signal.addEventListener('abort', listener, { once: true }),
    work: (call) => answerRequest(hub, method, rest, call),
  });
}

function metaOf(meta: unknown): McpObject {
  return typeof meta === 'object' && meta !== null ? { ...meta } : {};
}
