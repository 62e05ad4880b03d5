import { LunaError } from '../errors/index.ts';
import {
  type AskOptions,
  type CallClient,
  Cancellation,
  type McpObject,
  type ToolProgress,
  type ToolResult,
} from '../tools/index.ts';
import type { McpHub } from './hub.ts';
import { errorMessage, resultMessage } from './json-answer.ts';
import { needsObjectOutput, withObjectContent, withObjectOutput } from './legacy-output.ts';
import { isLogLevel, isSevereEnough } from './log-levels.ts';
import type { SessionRequest } from './open-exchanges.ts';
import type { Outlet } from './outlet.ts';
import { answerRequest, callTool, type RequestSide } from './requests.ts';
import type { LegacySession } from './session.ts';

/** A request of JSON-RPC whose shape has been checked. */
export interface RpcRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: McpObject;
}

/** One request within a session, from its arrival to its answer; to sources it is the client that they may ask. */
export class Exchange implements RequestSide, CallClient, SessionRequest {
  readonly cancellation = new Cancellation();
  readonly takesQuestionsAsResults = false;
  readonly requestId: string | undefined;
  openQuestions = 0;
  readonly #session: LegacySession;
  readonly #request: RpcRequest;
  readonly #outlet: Outlet;
  readonly #meta: McpObject | undefined;
  readonly startedAt = performance.now();

  constructor(session: LegacySession, request: RpcRequest, outlet: Outlet, requestId?: string) {
    this.#session = session;
    this.#request = request;
    this.#outlet = outlet;
    this.requestId = requestId;
    const meta = request.params._meta;
    this.#meta = isObject(meta) ? meta : undefined;
  }

  get client(): CallClient {
    return this;
  }

  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  get key(): string {
    return this.#session.id;
  }

  get capabilities(): McpObject {
    return this.#session.capabilities;
  }

  get logLevel(): string | undefined {
    return this.#session.logLevel;
  }

  /** What goes on to the source: all but the token, which is for this hop. */
  get meta(): McpObject | undefined {
    if (this.#meta?.progressToken === undefined) return this.#meta;
    const { progressToken: _token, ...rest } = this.#meta;
    return Object.keys(rest).length > 0 ? rest : undefined;
  }

  get onProgress(): ((progress: ToolProgress) => void) | undefined {
    const progressToken = this.#meta?.progressToken;
    if (progressToken === undefined) return undefined;
    return (progress) => this.#tell('notifications/progress', { ...progress, progressToken });
  }

  begin(): void {
    this.#outlet.begin();
  }

  ask(method: string, params: McpObject, options: AskOptions): Promise<McpObject> {
    return this.#session.ask((message) => this.#outlet.tell(message), method, params, options);
  }

  tell(method: string, params: McpObject): void {
    if (method === 'notifications/message' && !isSevereEnough(params.level, this.#session.logLevel)) return;
    this.#tell(method, params);
  }

  /** Answers the request, whatever happens. */
  answer(hub: McpHub): Promise<void> {
    const { id, method } = this.#request;
    this.#session.exchanges.add(id, this);
    // Nearly all requests are calls, which get by with one promise.
    const answer = method === 'tools/call' ? this.#call(hub) : this.#result(hub);
    return answer.then(
      (result) => this.#answered(hub, result),
      (thrown) => this.#ended(errorMessage(id, thrown, hub.redact)),
    );
  }

  /** `result`: that of a call, or JSON text. */
  #answered(hub: McpHub, result: ToolResult | string): void {
    const { id } = this.#request;
    let message: string;
    try {
      message = resultMessage(id, typeof result === 'string' ? result : this.#callText(hub, result));
    } catch (thrown) {
      message = errorMessage(id, thrown, hub.redact);
    }
    this.#ended(message);
  }

  #ended(message: string): void {
    this.#session.exchanges.delete(this.#request.id, this);
    this.#session.usedAt = performance.now();
    this.#outlet.answer(message);
  }

  #call(hub: McpHub): Promise<ToolResult> {
    try {
      return callTool(hub, this.#request.params, this);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  #callText(hub: McpHub, result: ToolResult): string {
    if (result.structuredContent === undefined) return JSON.stringify(result);
    const tool = hub.tools.visible.get(String(this.#request.params.name))?.tool;
    return JSON.stringify(withObjectContent(result, tool !== undefined && needsObjectOutput(tool)));
  }

  async #result(hub: McpHub): Promise<string> {
    const { method, params } = this.#request;
    const session = this.#session;
    switch (method) {
      case 'tools/list': {
        const { items, json, nextCursor } = hub.tools.page(params.cursor);
        if (!hub.tools.hasNonObjectOutput) return `{${json}}`;
        return JSON.stringify({ tools: items.map(withObjectOutput), ...(nextCursor !== undefined && { nextCursor }) });
      }
      case 'ping':
        return '{}';
      case 'logging/setLevel':
        if (!isLogLevel(params.level))
          throw new LunaError('invalid_input', 'The level must be one of MCP, such as "info".');
        session.logLevel = params.level;
        session.onLogLevel();
        return '{}';
      case 'resources/subscribe':
        await this.#subscribe(hub, params.uri);
        return '{}';
      case 'resources/unsubscribe':
        session.unsubscribe(hub.catalog.resource(params.uri).uri);
        return '{}';
      default:
        return JSON.stringify(await answerRequest(hub, method, params, this));
    }
  }

  async #subscribe(hub: McpHub, given: unknown): Promise<void> {
    const { owner, uri } = hub.catalog.resource(given);
    if (!this.#session.subscriptions.has(uri)) this.#session.subscribed(uri, await owner.peer.subscribe(uri));
  }

  #tell(method: string, params: McpObject): void {
    this.#outlet.tell(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
