import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import {
  classifyInboundRequest,
  createMcpHandler,
  isInitializeRequest,
  isJsonContentType,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import {
  answerLegacy,
  answerModern,
  isPlainLegacy,
  isPlainModern,
  needsProjection,
  plainRequest,
  sendJson,
} from './fast-lane.ts';
import type { McpHub } from './hub.ts';
import { readJsonBody } from './request-body.ts';
import type { RpcError } from './rpc-error.ts';
import { createSdkServer } from './sdk-server.ts';
import { type Session, Sessions } from './sessions.ts';

export interface HubHttpOptions {
  /** The longest body that is taken, in bytes. Default 4 MiB. */
  readonly maxBodyBytes?: number;
  /** A session that was not used for so long is closed, in milliseconds. Default 30 minutes. */
  readonly sessionIdleMs?: number;
  /** The most sessions at one time. Default 10,000. */
  readonly maxSessions?: number;
  readonly onError?: (error: Error) => void;
}

/** What is known of the request beside itself. */
export interface HubRequest {
  /** Who asks, as the guard in front has found: sessions belong to whom opened them. Default: everyone is one. */
  readonly owner?: string;
  /** The body where a framework has parsed it already; it is not read again then. */
  readonly body?: unknown;
}

/**
 * A hub over streamable HTTP, at one URL for clients of 2026-07-28 and of all 2025 protocols. It takes Node's request
 * and response and so fits Koa, Express, or no framework. It checks no credential, Host or Origin: guard it.
 */
export class HubHttp {
  readonly #hub: McpHub;
  readonly #options: Required<Pick<HubHttpOptions, 'maxBodyBytes'>> & HubHttpOptions;
  readonly #sessions: Sessions;
  readonly #modern: McpHttpHandler;
  readonly #serveModern: ReturnType<typeof toNodeHandler>;
  readonly #unwatch: () => void;

  constructor(hub: McpHub, options: HubHttpOptions = {}) {
    this.#hub = hub;
    this.#options = { ...options, maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024 };
    this.#sessions = new Sessions({ idleMs: options.sessionIdleMs ?? 30 * 60_000, max: options.maxSessions ?? 10_000 });
    this.#modern = createMcpHandler(() => createSdkServer(hub), { legacy: 'reject', onerror: options.onError });
    this.#serveModern = toNodeHandler(this.#modern, { onerror: options.onError });
    this.#unwatch = hub.onToolsChanged(() => this.#announce());
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get streamCount(): number {
    return this.#sessions.streams;
  }

  /** Answers one request. Never throws; what goes wrong is answered. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    { owner = '', body }: HubRequest = {},
  ): Promise<void> {
    try {
      if (request.method === 'POST') await this.#post(request, response, owner, body);
      else if (request.method === 'GET' || request.method === 'DELETE') await this.#session(request, response, owner);
      else refuse(response, 405, { code: -32000, message: 'Method not allowed: use POST, GET or DELETE.' });
    } catch (thrown) {
      this.#options.onError?.(thrown instanceof Error ? thrown : new Error(String(thrown)));
      refuse(response, 500, { code: -32603, message: 'Internal error' });
    }
  }

  /** Ends all sessions and streams. */
  async close(): Promise<void> {
    this.#unwatch();
    await Promise.all([this.#sessions.endAll(), this.#modern.close()]);
  }

  async #post(request: IncomingMessage, response: ServerResponse, owner: string, parsed: unknown): Promise<void> {
    if (!isJsonContentType(request.headers['content-type'])) {
      return refuse(response, 415, { code: -32000, message: 'The Content-Type must be application/json.' });
    }
    const read = parsed === undefined ? await readJsonBody(request, this.#options.maxBodyBytes) : { value: parsed };
    if ('refused' in read) return refuse(response, read.refused.status, read.refused.error);
    const body = read.value;

    const plain = plainRequest(body, request);
    if (plain && isPlainModern(plain, request)) return answerModern(this.#hub, plain, response);
    const sessionId = headerOf(request, 'mcp-session-id');
    const session = sessionId === undefined ? undefined : this.#sessions.use(sessionId, owner);
    if (plain && session && isPlainLegacy(plain, request, session) && !needsProjection(this.#hub, plain)) {
      return answerLegacy(this.#hub, session, plain, response);
    }

    const route = classifyInboundRequest({
      httpMethod: 'POST',
      protocolVersionHeader: headerOf(request, 'mcp-protocol-version'),
      mcpMethodHeader: headerOf(request, 'mcp-method'),
      mcpNameHeader: headerOf(request, 'mcp-name'),
      body,
    });
    if (route.kind === 'modern') return this.#serveModern(request, response, body);
    if (route.kind === 'reject')
      return refuse(
        response,
        route.httpStatus,
        { code: route.code, message: route.message, data: route.data },
        idOf(body),
      );
    if (session) {
      this.#cancelFastCall(session.calls, body);
      session.requests++;
      response.once('close', () => {
        session.requests--;
        session.usedAt = Date.now();
      });
      return session.transport.handleRequest(request, response, body);
    }
    if (sessionId !== undefined)
      return refuse(response, 404, { code: -32001, message: 'Session not found' }, idOf(body));
    if (!isInitializeRequest(body)) {
      return refuse(
        response,
        400,
        {
          code: -32000,
          message: 'Bad Request: send initialize first, then the Mcp-Session-Id header with each request.',
        },
        idOf(body),
      );
    }
    return this.#open(request, response, body, owner);
  }

  async #open(request: IncomingMessage, response: ServerResponse, body: unknown, owner: string): Promise<void> {
    const server = createSdkServer(this.#hub);
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      keepAliveMs: 15_000,
      onsessioninitialized: (id) => {
        const unused = { usedAt: Date.now(), streams: 0, requests: 0, missedChange: false };
        this.#sessions.add({ id, owner, server, transport, calls: new Map(), ...unused });
      },
      onsessionclosed: (id) => this.#sessions.end(id),
    });
    await server.connect(transport);
    await transport.handleRequest(request, response, body);
    // A handshake that the SDK refused has made no session.
    if (transport.sessionId === undefined) await server.close();
  }

  /** GET opens the stream of a session's notifications, DELETE ends the session; both only in the 2025 protocols. */
  async #session(request: IncomingMessage, response: ServerResponse, owner: string): Promise<void> {
    const id = headerOf(request, 'mcp-session-id');
    if (id === undefined) {
      return refuse(response, request.method === 'GET' ? 405 : 400, {
        code: -32000,
        message: 'The Mcp-Session-Id header is missing. Open a session with a POST of initialize.',
      });
    }
    const session = this.#sessions.use(id, owner);
    if (!session) return refuse(response, 404, { code: -32001, message: 'Session not found' });
    if (request.method === 'GET') void this.#streamOpened(session, response);
    await session.transport.handleRequest(request, response);
  }

  /** Counts a stream of notifications once the SDK has opened it, and tells on it what changed while there was none. */
  async #streamOpened(session: Session, response: ServerResponse): Promise<void> {
    while (!response.headersSent && !response.destroyed) await nextTurn();
    if (response.statusCode !== 200 || response.destroyed) return;
    session.streams++;
    response.once('close', () => {
      session.streams--;
      session.usedAt = Date.now();
    });
    if (session.missedChange) this.#tellChange(session);
  }

  #cancelFastCall(calls: Map<string | number, AbortController>, body: unknown): void {
    for (const message of Array.isArray(body) ? body : [body]) {
      if (message?.method === 'notifications/cancelled') calls.get(message.params?.requestId)?.abort();
    }
  }

  #announce(): void {
    this.#modern.notify.toolsChanged();
    for (const session of this.#sessions.all()) this.#tellChange(session);
  }

  #tellChange(session: Session): void {
    session.missedChange = session.streams === 0;
    if (session.missedChange) return;
    session.server.sendToolListChanged().catch((error) => this.#options.onError?.(error));
  }
}

function refuse(response: ServerResponse, status: number, error: RpcError, id: string | number | null = null): void {
  // The rest of a body that was not read would be taken for the next request.
  if (status === 413 || status === 415) response.setHeader('connection', 'close');
  sendJson(response, status, JSON.stringify({ jsonrpc: '2.0', error, id }));
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function idOf(body: unknown): string | number | null {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : null;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}
