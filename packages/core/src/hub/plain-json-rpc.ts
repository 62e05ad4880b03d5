import type { IncomingMessage, ServerResponse } from 'node:http';
import { LunaError, type LunaErrorCode, toLunaError } from '../errors/index.ts';
import { upstreamStatusKey } from '../sources/index.ts';
import type { ToolArguments } from '../tools/index.ts';
import type { McpHub } from './hub.ts';
import { type Refusal, refuse, sendEmpty, sendJson, takeRequestId } from './json-answer.ts';
import { readJsonBody } from './request-body.ts';
import { type RpcError, rpcCodes, toRpcError } from './rpc-error.ts';

export interface PlainJsonRpcOptions {
  /** The hub whose tools are served; asked for each body. May throw, which is then the answer. */
  readonly hub: () => McpHub;
  /** Asked with the number of calls in a body; what it answers is why the body is refused. */
  readonly admit?: (calls: number) => Promise<Refusal | undefined> | undefined;
  /** Covers secrets in what clients are told of errors. */
  readonly redact?: (text: string) => string;
  /** The longest body that is taken, in bytes. Default 4 MiB. */
  readonly maxBodyBytes?: number;
  /** The most messages in a batch. Default 100. */
  readonly maxBatch?: number;
  readonly onError?: (error: unknown) => void;
}

/**
 * Tools by plain JSON-RPC 2.0 over POST, for scripts that speak no MCP: no session and no handshake. Methods are
 * `tools/list`, `tools/call`, and the name of each tool, whose arguments are the params. A single message is answered
 * with a fitting HTTP status, a batch with 200. It checks no credential, Host or Origin: guard it.
 */
export class PlainJsonRpc {
  readonly #options: PlainJsonRpcOptions;

  constructor(options: PlainJsonRpcOptions) {
    this.#options = options;
  }

  /** Answers one request. Never throws; what goes wrong is answered. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    { requestId }: { readonly requestId?: string | undefined } = {},
  ): Promise<void> {
    takeRequestId(request, requestId);
    const abandoned = new AbortController();
    response.once('close', () => abandoned.abort(new LunaError('cancelled', 'The client closed the connection.')));
    try {
      const read = await readJsonBody(request, this.#options.maxBodyBytes ?? 4 * 1024 * 1024);
      if ('refused' in read) return refuse(response, read.refused.status, read.refused.error);
      const { status, body, headers } = await this.#answerBody(read.value, { signal: abandoned.signal, requestId });
      if (body === undefined) sendEmpty(response, status);
      else sendJson(response, status, JSON.stringify(body), headers);
    } catch (thrown) {
      this.#options.onError?.(thrown);
      refuse(response, 500, { code: rpcCodes.internal, message: 'Internal error' });
    }
  }

  async #answerBody(body: unknown, call: PlainCall): Promise<HttpAnswer> {
    const { admit, maxBatch = 100 } = this.#options;
    const messages = Array.isArray(body) ? body : [body];
    if (messages.length === 0) return refusal(400, rpcCodes.invalidRequest, 'The batch is empty.');
    if (messages.length > maxBatch)
      return refusal(400, rpcCodes.invalidRequest, `The batch has more than ${maxBatch} messages.`);
    const calls = messages.filter((message) => isRequest(message) && message.method !== 'tools/list').length;
    const refused = calls > 0 && (await admit?.(calls));
    if (refused) {
      const { status, error, headers } = refused;
      return { status, headers, body: { jsonrpc: '2.0', id: Array.isArray(body) ? null : idOf(body), error } };
    }
    const answers = await Promise.all(messages.map((message) => this.#answer(message, call)));
    const said = answers.filter((answer) => answer !== undefined);
    if (said.length === 0) return { status: 204 };
    return Array.isArray(body)
      ? { status: 200, body: said.map((answer) => answer.body) }
      : (said[0] ?? { status: 204 });
  }

  /** The answer to one message; undefined for a notification, whatever came of it. */
  async #answer(message: unknown, call: PlainCall): Promise<HttpAnswer | undefined> {
    if (!isRequest(message))
      return refusal(400, rpcCodes.invalidRequest, 'This is no request of JSON-RPC 2.0.', idOf(message));
    try {
      const result = await this.#result(message, call);
      if (!('id' in message)) return undefined;
      return { status: 200, body: { jsonrpc: '2.0', id: idOf(message), result } };
    } catch (thrown) {
      if (!('id' in message)) return undefined;
      return { status: statusOf(thrown), body: { jsonrpc: '2.0', id: idOf(message), error: this.#errorOf(thrown) } };
    }
  }

  async #result({ method, params = {} }: Request, call: PlainCall): Promise<unknown> {
    if (!isObject(params)) throw new LunaError('invalid_input', 'The params must be an object.');
    if (method === 'tools/list') return { tools: this.#options.hub().tools.tools };
    if (method !== 'tools/call') return this.#call(method, params, call, rpcCodes.methodNotFound);
    const { name, arguments: args = {} } = params;
    if (typeof name !== 'string') throw new LunaError('invalid_input', 'The parameter "name" must be a text.');
    if (!isObject(args)) throw new LunaError('invalid_input', 'The parameter "arguments" must be an object.');
    return this.#call(name, args, call, rpcCodes.invalidParams);
  }

  async #call(name: string, args: ToolArguments, call: PlainCall, whenUnknown: number): Promise<unknown> {
    try {
      const result = await this.#options
        .hub()
        .callTool(name, args, { caller: { kind: 'plain', name: 'mcp' }, ...call });
      // What a service behind Luna refused is a gateway's error to a client of plain HTTP.
      if (isObject(result._meta) && result._meta[upstreamStatusKey] !== undefined) {
        const text = result.content.map((block) => block.text).join('\n');
        throw new LunaError('upstream_error', text, { details: { status: result._meta[upstreamStatusKey] } });
      }
      return result;
    } catch (thrown) {
      const { code, message } = toLunaError(thrown);
      if (code !== 'tool_not_found') throw thrown;
      throw new LunaError(code, message, { details: { rpc: { code: whenUnknown, message, data: { code } } } });
    }
  }

  #errorOf(thrown: unknown): RpcError {
    if (toLunaError(thrown).code !== 'internal') return toRpcError(thrown, this.#options.redact);
    // What Luna did not foresee may hold anything; it goes to the log, not to the client.
    this.#options.onError?.(thrown);
    return { code: rpcCodes.internal, message: 'Internal error', data: { code: 'internal' } };
  }
}

/** What a body brings to each of its calls. */
interface PlainCall {
  readonly signal: AbortSignal;
  readonly requestId: string | undefined;
}

interface HttpAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

interface Request {
  readonly method: string;
  readonly params?: unknown;
  readonly id?: unknown;
}

/** All that is not here is a failure of Luna itself. */
const statuses: Partial<Record<LunaErrorCode, number>> = {
  invalid_input: 400,
  forbidden: 403,
  tool_not_found: 404,
  not_found: 404,
  conflict: 409,
  limit_exceeded: 429,
  cancelled: 499,
  tool_failed: 502,
  source_unavailable: 502,
  process_failed: 502,
  upstream_error: 502,
  timeout: 502,
};

function statusOf(thrown: unknown): number {
  return statuses[toLunaError(thrown).code] ?? 500;
}

function refusal(status: number, code: number, message: string, id: string | number | null = null): HttpAnswer {
  return { status, body: { jsonrpc: '2.0', id, error: { code, message } } };
}

function isRequest(message: unknown): message is Request {
  if (!isObject(message) || message.jsonrpc !== '2.0' || typeof message.method !== 'string') return false;
  return !('id' in message) || message.id === null || ['string', 'number'].includes(typeof message.id);
}

function idOf(message: unknown): string | number | null {
  const id = isObject(message) ? message.id : null;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
