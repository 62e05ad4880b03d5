import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  CLIENT_CAPABILITIES_META_KEY,
  createMcpHandler,
  LOG_LEVEL_META_KEY,
  type McpHttpHandler,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server';
import { type McpObject, paramHeaderMismatch, paramHeadersOf } from '../tools/index.ts';
import type { HubListKind, McpHub } from './hub.ts';
import { errorMessage, refuse, requestIdOf, resultMessage } from './json-answer.ts';
import { PostOutlet } from './outlet.ts';
import { answerRequest } from './requests.ts';
import { rpcCodes, toRpcError } from './rpc-error.ts';
import { createSdkServer } from './sdk-server.ts';
import { SuspendedCalls } from './suspended-calls.ts';

export const modernVersion = '2026-07-28';
const headerMismatch = -32020;

/** A request that may take the fast lane. */
interface PlainRequest {
  readonly id: string | number;
  readonly method: 'tools/list' | 'tools/call';
  readonly params: McpObject;
  readonly meta: McpObject;
}

/**
 * Streamable HTTP as 2026-07-28 has it: each request stands for itself. The official SDK answers, and knows the exact
 * refusals; `tools/list` and `tools/call` with nothing special about them, which are nearly all traffic, take a short
 * way past it.
 */
export class ModernHttp {
  readonly #hub: McpHub;
  readonly #suspended = new SuspendedCalls();
  readonly #handlers = new Map<string, { handler: McpHttpHandler; serve: ReturnType<typeof toNodeHandler> }>();
  readonly #onError: ((error: Error) => void) | undefined;
  readonly #serverInfo: McpObject;
  /** Answers that are under way, and whose they are. */
  readonly #waiting = new Map<PostOutlet, string>();

  constructor(hub: McpHub, onError: ((error: Error) => void) | undefined) {
    this.#hub = hub;
    this.#onError = onError;
    this.#serverInfo = { [SERVER_INFO_META_KEY]: hub.serverInfo };
  }

  /** Answers a POST whose body has been parsed; false when it is none that may take the short way. */
  answerPlain(request: IncomingMessage, response: ServerResponse, owner: string, body: unknown): boolean {
    const plain = plainRequest(body, request);
    if (!plain) return false;
    if (plain.method === 'tools/call') void this.#call(plain, request, response, owner);
    else this.#list(plain, response);
    return true;
  }

  async answer(request: IncomingMessage, response: ServerResponse, owner: string, body: unknown): Promise<void> {
    const message = isObject(body) ? body : {};
    const params = isObject(message.params) ? message.params : {};
    if (message.method === 'tools/call') {
      const mismatch = this.#mismatch(params, request);
      if (mismatch) return refuse(response, 400, mismatch, message.id as string);
    }
    if (message.method === 'subscriptions/listen') await this.#subscribe(params, response);
    await this.#handlerOf(owner).serve(request, response, body);
  }

  listChanged(kind: HubListKind): void {
    for (const { handler } of this.#handlers.values()) handler.notify[`${kind}Changed`]();
  }

  resourceUpdated(uri: string): void {
    for (const { handler } of this.#handlers.values()) handler.notify.resourceUpdated(uri);
  }

  /** Calls that take long get a stream, which nobody on the way takes for a dead connection. */
  beat(longMs: number): void {
    for (const outlet of this.#waiting.keys()) {
      if (outlet.isStreaming) outlet.beat();
      else if (performance.now() - outlet.startedAt >= longMs) outlet.begin();
    }
  }

  /** Ends what one who asks has open. */
  async closeOwner(owner: string): Promise<void> {
    for (const [outlet, whose] of this.#waiting) if (whose === owner) outlet.close();
    const known = this.#handlers.get(owner);
    this.#handlers.delete(owner);
    await known?.handler.close();
  }

  async close(): Promise<void> {
    this.#suspended.close();
    for (const outlet of this.#waiting.keys()) outlet.close();
    await Promise.all([...this.#handlers.values()].map(({ handler }) => handler.close()));
  }

  /** One for each who asks, so that an answer to a question finds only what its owner has begun. */
  #handlerOf(owner: string) {
    const known = this.#handlers.get(owner);
    if (known) return known;
    const onerror = this.#onError;
    const handler = createMcpHandler(() => createSdkServer(this.#hub, this.#suspended, owner), {
      legacy: 'reject',
      onerror,
    });
    const made = { handler, serve: toNodeHandler(handler, { onerror }) };
    this.#handlers.set(owner, made);
    return made;
  }

  #list({ id, params }: PlainRequest, response: ServerResponse): void {
    const outlet = new PostOutlet(undefined, response);
    try {
      const { json } = this.#hub.tools.page(params.cursor);
      const rest = `"ttlMs":0,"cacheScope":"private","resultType":"complete","_meta":${JSON.stringify(this.#serverInfo)}`;
      outlet.answer(resultMessage(id, `{${json},${rest}}`));
    } catch (thrown) {
      outlet.answer(errorMessage(id, thrown, this.#hub.redact));
    }
  }

  async #call(plain: PlainRequest, request: IncomingMessage, response: ServerResponse, owner: string): Promise<void> {
    const { id, method, params, meta } = plain;
    const mismatch = this.#mismatch(params, request);
    if (mismatch) return refuse(response, 400, mismatch, id);
    const outlet = new PostOutlet(undefined, response);
    this.#waiting.set(outlet, owner);
    try {
      const result = await this.#suspended.run({
        owner,
        meta,
        requestId: requestIdOf(request),
        onGone: (listener) => response.once('close', listener),
        work: (call) => answerRequest(this.#hub, method, params, call),
      });
      const _meta = isObject(result._meta) ? { ...this.#serverInfo, ...result._meta } : this.#serverInfo;
      outlet.answer(resultMessage(id, JSON.stringify({ resultType: 'complete', ...result, _meta })));
    } catch (thrown) {
      const status = httpStatusOf(toRpcError(thrown).code);
      outlet.answer(errorMessage(id, thrown, this.#hub.redact), status);
    }
    this.#waiting.delete(outlet);
  }

  #mismatch({ name, arguments: args }: McpObject, { headers }: IncomingMessage) {
    const tool = this.#hub.tools.visible.get(String(name))?.tool;
    const declared = tool && paramHeadersOf(tool);
    if (!declared || !('headers' in declared) || declared.headers.length === 0) return undefined;
    const why = paramHeaderMismatch(declared.headers, isObject(args) ? args : {}, headers);
    return why === undefined ? undefined : { code: headerMismatch, message: `Bad Request: ${why}.` };
  }

  /** The stream of the SDK tells of these resources; here their servers are asked to tell us. */
  async #subscribe(params: McpObject, response: ServerResponse): Promise<void> {
    const { resourceSubscriptions: uris } = isObject(params.notifications) ? params.notifications : {};
    for (const uri of Array.isArray(uris) ? uris.slice(0, 1_000) : []) {
      try {
        const found = this.#hub.catalog.resource(uri);
        const stop = await found.owner.peer.subscribe(found.uri);
        if (response.destroyed) stop();
        else response.once('close', stop);
      } catch (thrown) {
        // The rest of what the client wants to hear of is not lost with it.
        this.#onError?.(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    }
  }
}

/** Some errors of 2026-07-28 are errors of HTTP as well (transports, "Error handling"). */
function httpStatusOf(code: number): number {
  if (code === rpcCodes.methodNotFound) return 404;
  return code <= -32020 && code >= -32022 ? 400 : 200;
}

/** The body as a plain request of 2026-07-28, or undefined when it needs the SDK: the headers say what the body says. */
function plainRequest(body: unknown, { headers }: IncomingMessage): PlainRequest | undefined {
  if (headers['mcp-protocol-version'] !== modernVersion) return undefined;
  if (!isObject(body) || body.jsonrpc !== '2.0') return undefined;
  const { id, method, params } = body;
  if (typeof id !== 'string' && !Number.isInteger(id)) return undefined;
  if ((method !== 'tools/list' && method !== 'tools/call') || headers['mcp-method'] !== method) return undefined;
  if (!isObject(params) || !isObject(params._meta) || !acceptsBoth(headers.accept)) return undefined;
  const meta = params._meta;
  if (meta[PROTOCOL_VERSION_META_KEY] !== modernVersion || !isObject(meta[CLIENT_CAPABILITIES_META_KEY]))
    return undefined;
  if (method === 'tools/call') {
    if (typeof params.name !== 'string' || headers['mcp-name'] !== params.name) return undefined;
    if (params.arguments !== undefined && !isObject(params.arguments)) return undefined;
  }
  // Progress and log messages need a stream from the start; answers to questions take the whole way.
  if (meta.progressToken !== undefined || meta[LOG_LEVEL_META_KEY] !== undefined) return undefined;
  if ('inputResponses' in params || 'requestState' in params) return undefined;
  return { id: id as string | number, method, params, meta };
}

function acceptsBoth(accept: string | undefined): boolean {
  return accept?.includes('application/json') === true && accept.includes('text/event-stream');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
