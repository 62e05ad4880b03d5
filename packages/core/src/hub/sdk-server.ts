import { ProtocolError, Server, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ToolProgress, ToolResult } from '../tools/index.ts';
import type { HubCall, McpHub } from './hub.ts';
import { toRpcError } from './rpc-error.ts';

/** The SDK parses what handlers take and give and drops fields that it does not know; a hub relays them. */
class RelayServer extends Server {
  protected override _wrapHandler: Server['_wrapHandler'] = (_method, handler) => handler;
}

const listParams = z.looseObject({ cursor: z.unknown().optional() });
const callParams = z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).optional() });

/** A server object of the SDK, for one session or one request, that answers from the hub. */
export function createSdkServer(hub: McpHub): Server {
  const server = new RelayServer(
    { ...hub.serverInfo },
    {
      capabilities: { tools: { listChanged: true } },
      ...(hub.instructions !== undefined && { instructions: hub.instructions }),
    },
  );
  server.setRequestHandler('tools/list', { params: listParams }, (params) =>
    answering(async () => {
      const { tools, nextCursor } = hub.tools.page(params.cursor);
      return { tools: tools.map((tool) => ({ ...tool })), ...(nextCursor !== undefined && { nextCursor }) };
    }),
  );
  server.setRequestHandler('tools/call', { params: callParams }, (params, context) =>
    answering(async () => {
      const listed = hub.tools.visible.get(params.name)?.tool;
      const result = await hub.callTool(params.name, params.arguments, callOf(params, context));
      return server.projectCallToolResult(asSdkResult(result), listed?.outputSchema);
    }),
  );
  return server;
}

/** The types of the SDK name the blocks that it knows; at run time a result of Luna is one, with whatever it holds. */
function asSdkResult(result: ToolResult): Parameters<Server['projectCallToolResult']>[0] {
  return result as unknown as Parameters<Server['projectCallToolResult']>[0];
}

async function answering<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    const { code, message, data } = toRpcError(thrown);
    throw new ProtocolError(code, message, data);
  }
}

function callOf(params: z.infer<typeof callParams>, { mcpReq }: ServerContext): HubCall {
  const { progressToken, ...meta } = metaOf(params._meta ?? mcpReq._meta);
  const report = (progress: ToolProgress) => {
    const params = { ...progress, progressToken };
    // A client that has gone does not hear of progress; its call is cancelled by other means.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  return {
    signal: mcpReq.signal,
    ...(progressToken !== undefined && { onProgress: report }),
    ...(Object.keys(meta).length > 0 && { meta }),
  };
}

function metaOf(meta: unknown): Record<string, unknown> {
  return typeof meta === 'object' && meta !== null ? { ...meta } : {};
}
