import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  CLIENT_CAPABILITIES_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server';
import type { ToolResult } from '../tools/index.ts';
import type { McpHub } from './hub.ts';
import { toRpcError } from './rpc-error.ts';
import type { Session } from './sessions.ts';

/**
 * The short way for the two requests that make up nearly all traffic, `tools/list` and `tools/call`, when nothing about
 * them is special. It answers with one JSON body, as both eras of the protocol allow. Everything else, and every
 * request that is wrong in any way, goes through the SDK, which knows the exact answers.
 */

export const modernVersion = '2026-07-28';

/** A request that may take the fast lane. */
export interface PlainRequest {
  readonly id: string | number;
  readonly method: 'tools/list' | 'tools/call';
  readonly params: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>> | undefined;
}

/** The body as a plain request, or undefined when it needs the SDK. */
export function plainRequest(body: unknown, request: IncomingMessage): PlainRequest | undefined {
  if (!isObject(body) || body.jsonrpc !== '2.0') return undefined;
  const { id, method, params = {} } = body;
  if (typeof id !== 'string' && typeof id !== 'number') return undefined;
  if (method !== 'tools/list' && method !== 'tools/call') return undefined;
  if (!isObject(params) || !acceptsBoth(request.headers.accept)) return undefined;
  if (
    method === 'tools/call' &&
    !(typeof params.name === 'string' && (params.arguments === undefined || isObject(params.arguments)))
  )
    return undefined;
  const meta = params._meta;
  if (meta !== undefined && !isObject(meta)) return undefined;
  // Progress needs a stream; answers to questions need the round trip that the SDK keeps.
  if (meta?.progressToken !== undefined || 'inputResponses' in params || 'requestState' in params) return undefined;
  return { id, method, params, meta };
}

/** Whether this is a well-formed request of 2026-07-28: the headers say what the body says. */
export function isPlainModern({ method, params, meta }: PlainRequest, request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    headers['mcp-protocol-version'] === modernVersion &&
    meta?.[PROTOCOL_VERSION_META_KEY] === modernVersion &&
    isObject(meta[CLIENT_CAPABILITIES_META_KEY]) &&
    headers['mcp-method'] === method &&
    (method === 'tools/list' || headers['mcp-name'] === params.name)
  );
}

/** Whether this is a well-formed request within a session of a 2025 protocol. */
export function isPlainLegacy({ meta }: PlainRequest, request: IncomingMessage, session: Session): boolean {
  const version = request.headers['mcp-protocol-version'];
  return (
    meta?.[PROTOCOL_VERSION_META_KEY] === undefined &&
    (version === undefined || version === session.server.getNegotiatedProtocolVersion())
  );
}

/** Answers a plain request of a session. */
export async function answerLegacy(
  hub: McpHub,
  session: Session,
  request: PlainRequest,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'tools/list')
    return sendAnswer(response, request.id, () => `{${hub.tools.page(request.params.cursor).json}}`);
  const controller = new AbortController();
  session.calls.set(request.id, controller);
  try {
    await answerCall(hub, request, response, controller.signal, (result) => JSON.stringify(result));
  } finally {
    session.calls.delete(request.id);
  }
}

/** Answers a plain request of 2026-07-28. A client that closes the connection cancels its call. */
export async function answerModern(hub: McpHub, request: PlainRequest, response: ServerResponse): Promise<void> {
  const serverInfo = `"_meta":{${JSON.stringify(SERVER_INFO_META_KEY)}:${JSON.stringify(hub.serverInfo)}}`;
  if (request.method === 'tools/list') {
    return sendAnswer(
      response,
      request.id,
      () =>
        `{${hub.tools.page(request.params.cursor).json},"ttlMs":0,"cacheScope":"private","resultType":"complete",${serverInfo}}`,
    );
  }
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  await answerCall(hub, request, response, controller.signal, (result) => {
    const _meta = isObject(result._meta)
      ? { [SERVER_INFO_META_KEY]: hub.serverInfo, ...result._meta }
      : { [SERVER_INFO_META_KEY]: hub.serverInfo };
    return JSON.stringify({ ...result, resultType: 'complete', _meta });
  });
}

/** Tools whose output is not an object look different in the 2025 protocols; the SDK knows how. */
export function needsProjection(hub: McpHub, { method, params }: PlainRequest): boolean {
  if (method === 'tools/list') return hub.tools.hasNonObjectOutput;
  const schema = hub.tools.visible.get(String(params.name))?.tool.outputSchema;
  return schema !== undefined && schema.type !== 'object';
}

async function answerCall(
  hub: McpHub,
  request: PlainRequest,
  response: ServerResponse,
  signal: AbortSignal,
  encode: (result: ToolResult) => string,
): Promise<void> {
  const { name, arguments: args } = request.params;
  try {
    const result = await hub.callTool(String(name), isObject(args) ? args : undefined, {
      signal,
      meta: withoutEnvelope(request.meta),
    });
    sendAnswer(response, request.id, () => encode(result));
  } catch (thrown) {
    sendError(response, request.id, thrown);
  }
}

function sendAnswer(response: ServerResponse, id: string | number, result: () => string): void {
  let body: string;
  try {
    body = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result()}}`;
  } catch (thrown) {
    return sendError(response, id, thrown);
  }
  sendJson(response, 200, body);
}

function sendError(response: ServerResponse, id: string | number, thrown: unknown): void {
  sendJson(response, 200, JSON.stringify({ jsonrpc: '2.0', id, error: toRpcError(thrown) }));
}

export function sendJson(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed || response.headersSent) return;
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length });
  // As many bytes as characters: all of it is ASCII, which is written faster without looking for more.
  response.end(body, length === body.length ? 'latin1' : 'utf8');
}

/** The keys by which a client of 2026-07-28 describes itself are for this hop, not for the source. */
function withoutEnvelope(meta: PlainRequest['meta']): Record<string, unknown> | undefined {
  if (!meta) return undefined;
  const rest = Object.entries(meta).filter(([key]) => !key.startsWith('io.modelcontextprotocol/'));
  return rest.length > 0 ? Object.fromEntries(rest) : undefined;
}

function acceptsBoth(accept: string | undefined): boolean {
  return accept?.includes('application/json') === true && accept.includes('text/event-stream');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
