import { LunaError } from '../errors/index.ts';
import type { CallClient, McpObject, SourceCall, ToolResult } from '../tools/index.ts';
import type { HubCall, McpHub } from './hub.ts';
import { rpcCodes } from './rpc-error.ts';
import { showInContents, showInMessages } from './shown-results.ts';

/** How a request came: by whom, and how it is cancelled and told of progress. */
export type RequestSide = SourceCall & { readonly client: CallClient };

type Answer = (hub: McpHub, params: McpObject, side: RequestSide) => McpObject | Promise<McpObject>;

/** The requests of MCP that a hub answers alike in both eras of the protocol. */
const answers: Readonly<Record<string, Answer>> = {
  'tools/list': (hub, { cursor }) => {
    const { items, nextCursor } = hub.tools.page(cursor);
    return listed('tools', items, nextCursor);
  },
  'resources/list': (hub, { cursor }) => {
    const { items, nextCursor } = hub.catalog.resources.page(cursor);
    return listed('resources', items, nextCursor);
  },
  'resources/templates/list': (hub, { cursor }) => {
    const { items, nextCursor } = hub.catalog.resourceTemplates.page(cursor);
    return listed('resourceTemplates', items, nextCursor);
  },
  'prompts/list': (hub, { cursor }) => {
    const { items, nextCursor } = hub.catalog.prompts.page(cursor);
    return listed('prompts', items, nextCursor);
  },
  'tools/call': callTool,
  'resources/read': async (hub, params, side) => {
    const { owner, uri } = hub.catalog.resource(params.uri);
    const result = await owner.peer.request('resources/read', { ...params, uri }, side);
    return hub.catalog.peers.length < 2 ? result : showInContents(result, (one) => hub.catalog.uris.shown(owner, one));
  },
  'prompts/get': async (hub, params, side) => {
    const { owner, name } = hub.catalog.prompt(params.name);
    const result = await owner.peer.request('prompts/get', { ...params, name }, side);
    return hub.catalog.peers.length < 2 ? result : showInMessages(result, (one) => hub.catalog.uris.shown(owner, one));
  },
  'completion/complete': (hub, params, side) => {
    const ref = isObject(params.ref) ? params.ref : {};
    if (ref.type === 'ref/prompt') {
      const { owner, name } = hub.catalog.prompt(ref.name);
      return owner.peer.request('completion/complete', { ...params, ref: { ...ref, name } }, side);
    }
    if (ref.type === 'ref/resource') {
      const { owner, uri } = hub.catalog.resource(ref.uri);
      return owner.peer.request('completion/complete', { ...params, ref: { ...ref, uri } }, side);
    }
    throw new LunaError('invalid_input', 'The parameter "ref" must be of type ref/prompt or ref/resource.');
  },
};

/** The methods of {@link answerRequest}. */
export const commonMethods = Object.keys(answers);

/**
 * Answers a request of MCP from the hub. Throws `upstream_error` with "method not found" in `details.rpc` for methods
 * that are not common to both eras, and whatever the answer throws.
 */
export async function answerRequest(
  hub: McpHub,
  method: string,
  params: McpObject,
  side: RequestSide,
): Promise<McpObject> {
  const answer = Object.hasOwn(answers, method) ? answers[method] : undefined;
  if (!answer) throw methodNotFound(method);
  // The progress token and the like are for this hop; what is left of `_meta` goes on with the request.
  const { _meta: _hop, ...rest } = params;
  return answer(hub, rest, side);
}

/** Answers `tools/call`. Throws `invalid_input` for parameters that are none, and what the call throws. */
export function callTool(hub: McpHub, params: McpObject, side: RequestSide): Promise<ToolResult> {
  const { name, arguments: args } = params;
  if (typeof name !== 'string') throw new LunaError('invalid_input', 'The parameter "name" must be a text.');
  if (args !== undefined && !isObject(args))
    throw new LunaError('invalid_input', 'The parameter "arguments" must be an object.');
  return hub.callTool(name, args, callOf(side));
}

export function methodNotFound(method: string): LunaError {
  const message = `Method not found: ${method}`;
  return new LunaError('invalid_input', message, { details: { rpc: { code: rpcCodes.methodNotFound, message } } });
}

/** The signal is asked for only where there is nothing cheaper: asking makes one. */
function callOf(side: RequestSide): HubCall {
  const { cancellation, onProgress, meta, client, retry, requestId } = side;
  return { signal: cancellation ? undefined : side.signal, cancellation, onProgress, meta, client, retry, requestId };
}

function listed(field: string, items: readonly McpObject[], nextCursor: string | undefined): McpObject {
  return { [field]: items, ...(nextCursor !== undefined && { nextCursor }) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
