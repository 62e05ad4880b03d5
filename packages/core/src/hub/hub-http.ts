import type { IncomingMessage, ServerResponse } from 'node:http';
import { classifyInboundRequest, isJsonContentType, PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';
import type { CallClient, PeerNotification } from '../tools/index.ts';
import type { HubListKind, McpHub } from './hub.ts';
import { headerOf, idOf, type Refusal, refuse, refuseWith, takeRequestId } from './json-answer.ts';
import { LegacyHttp } from './legacy-http.ts';
import { LegacySse } from './legacy-sse.ts';
import { isSevereEnough, leastSevere } from './log-levels.ts';
import { ModernHttp, modernVersion } from './modern-http.ts';
import { type ReadBody, takeJsonBody } from './request-body.ts';
import { Sessions } from './sessions.ts';

export interface HubHttpOptions {
  /** The longest body that is taken, in bytes. Default 4 MiB. */
  readonly maxBodyBytes?: number;
  /** A session that was not used for so long is closed, in milliseconds. Default 30 minutes. */
  readonly sessionIdleMs?: number;
  /** The most sessions at one time. Default 10,000. */
  readonly maxSessions?: number;
  /** How often streams get a sign of life, in milliseconds. Default 15 seconds. */
  readonly heartbeatMs?: number;
  /** Asked for each body that comes in; what it answers is why the body is refused, for example a limit of calls. */
  readonly admit?: (body: unknown) => Promise<Refusal | undefined> | undefined;
  readonly onError?: (error: Error) => void;
}

/** What is known of the request beside itself. */
export interface HubRequest {
  /** Who asks, as the guard in front has found: sessions belong to whom opened them. Default: everyone is one. */
  readonly owner?: string;
  /** The body where a framework has parsed it already; it is not read again then. */
  readonly body?: unknown;
  /** Goes with the calls of the request: into records and errors, and to MCP servers over HTTP. */
  readonly requestId?: string | undefined;
}

/**
 * A hub over HTTP, at one URL for clients of 2026-07-28 and of all 2025 protocols, and below it (`/sse`, `/messages`)
 * for those of the older SSE transport. It takes Node's request and response and so fits Koa, Express, or no framework.
 * It checks no credential, Host or Origin: guard it.
 */
export class HubHttp {
  readonly #hub: McpHub;
  readonly #options: HubHttpOptions;
  readonly #maxBodyBytes: number;
  readonly #sessions: Sessions;
  readonly #legacy: LegacyHttp;
  readonly #sse: LegacySse;
  readonly #modern: ModernHttp;
  readonly #heart: NodeJS.Timeout;
  readonly #unwatch: readonly (() => void)[];

  constructor(hub: McpHub, options: HubHttpOptions = {}) {
    this.#hub = hub;
    this.#options = options;
    this.#maxBodyBytes = options.maxBodyBytes ?? 4 * 1024 * 1024;
    this.#sessions = new Sessions({ idleMs: options.sessionIdleMs ?? 30 * 60_000, max: options.maxSessions ?? 10_000 });
    const levelChanged = () =>
      hub.setLogLevel(leastSevere([...this.#sessions.all()].map((session) => session.logLevel)));
    this.#legacy = new LegacyHttp(hub, this.#sessions, levelChanged);
    this.#sse = new LegacySse(hub, this.#sessions, levelChanged);
    this.#modern = new ModernHttp(hub, options.onError);
    const heartbeatMs = options.heartbeatMs ?? 15_000;
    this.#heart = setInterval(() => this.#beat(heartbeatMs), heartbeatMs).unref();
    hub.setClients(() => this.#clients());
    this.#unwatch = [
      hub.onListChanged((kind) => this.#listChanged(kind)),
      hub.onNotification((notification) => this.#notify(notification)),
    ];
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get streamCount(): number {
    return this.#sessions.streams;
  }

  /** Answers one request. Never throws; what goes wrong is answered. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    { owner = '', body, requestId }: HubRequest = {},
  ): Promise<void> {
    takeRequestId(request, requestId);
    const fail = (thrown: unknown) => {
      this.#options.onError?.(thrown instanceof Error ? thrown : new Error(String(thrown)));
      refuse(response, 500, { code: -32603, message: 'Internal error' });
    };
    return new Promise((done) => {
      const answer = (read?: ReadBody) => {
        try {
          const later = read ? this.#post(request, response, owner, read) : this.#other(request, response, owner);
          if (later) later.catch(fail).finally(done);
          else done();
        } catch (thrown) {
          fail(thrown);
          done();
        }
      };
      if (request.method !== 'POST') return answer();
      if (!isJsonContentType(request.headers['content-type'])) {
        refuse(response, 415, { code: -32000, message: 'The Content-Type must be application/json.' });
        return done();
      }
      if (body !== undefined) return answer({ value: body });
      const broken = (error: unknown) => {
        fail(error);
        done();
      };
      takeJsonBody(request, this.#maxBodyBytes, answer, broken);
    });
  }

  /** Answers what is no POST. */
  #other(request: IncomingMessage, response: ServerResponse, owner: string): undefined {
    if (request.method === 'GET') this.#get(request, response, owner);
    else if (request.method === 'DELETE') this.#legacy.delete(request, response, owner);
    else {
      response.setHeader('allow', 'POST, GET, DELETE');
      refuse(response, 405, { code: -32000, message: 'Method not allowed: use POST, GET or DELETE.' });
    }
  }

  /** Ends the sessions and streams of one who may not come in any more. */
  async closeOwner(owner: string): Promise<void> {
    this.#sessions.endOf(owner);
    await this.#modern.closeOwner(owner);
  }

  /** Ends all sessions and streams. */
  async close(): Promise<void> {
    clearInterval(this.#heart);
    for (const stop of this.#unwatch) stop();
    this.#sessions.endAll();
    this.#sse.close();
    await this.#modern.close();
  }

  /** Answers a POST, at once or later where the result says so. */
  #post(request: IncomingMessage, response: ServerResponse, owner: string, read: ReadBody): Promise<void> | undefined {
    if ('refused' in read) return void refuse(response, read.refused.status, read.refused.error);
    const body = read.value;
    const admission = this.#options.admit?.(body);
    if (!admission) return this.#admitted(request, response, owner, body);
    return admission.then((refusal) =>
      refusal ? refuseWith(response, refusal, body) : this.#admitted(request, response, owner, body),
    );
  }

  #admitted(
    request: IncomingMessage,
    response: ServerResponse,
    owner: string,
    body: unknown,
  ): Promise<void> | undefined {
    if (isAt(request, '/messages')) return void this.#sse.post(request, response, owner, body);
    if (this.#modern.answerPlain(request, response, owner, body)) return undefined;

    // Who names a session and no newer version speaks a 2025 protocol.
    if (request.headers['mcp-session-id'] !== undefined && !claimsModern(request, body))
      return void this.#legacy.post(request, response, owner, body);
    const route = classifyInboundRequest({
      httpMethod: 'POST',
      protocolVersionHeader: headerOf(request, 'mcp-protocol-version'),
      mcpMethodHeader: headerOf(request, 'mcp-method'),
      mcpNameHeader: headerOf(request, 'mcp-name'),
      body,
    });
    if (route.kind === 'modern') return this.#modern.answer(request, response, owner, body);
    if (route.kind === 'reject') {
      const { httpStatus, code, message, data } = route;
      return void refuse(response, httpStatus, { code, message, data }, idOf(body));
    }
    return void this.#legacy.post(request, response, owner, body);
  }

  #get(request: IncomingMessage, response: ServerResponse, owner: string): void {
    if (isAt(request, '/sse')) this.#sse.open(response, owner);
    else this.#legacy.get(request, response, owner);
  }

  #beat(heartbeatMs: number): void {
    for (const session of this.#sessions.all()) session.beat(heartbeatMs);
    this.#sse.beat();
    this.#modern.beat(heartbeatMs);
  }

  *#clients(): Iterable<CallClient> {
    for (const session of this.#sessions.all()) if (session.hasStream) yield session.client;
  }

  #listChanged(kind: HubListKind): void {
    this.#modern.listChanged(kind);
    for (const session of this.#sessions.all()) session.listChanged(kind);
  }

  #notify({ method, params, client }: PeerNotification): void {
    const uri = method === 'notifications/resources/updated' ? params.uri : undefined;
    if (typeof uri === 'string') this.#modern.resourceUpdated(uri);
    for (const session of this.#sessions.all()) {
      if (client && client.key !== session.id) continue;
      if (typeof uri === 'string' && !this.#hears(session.subscriptions, uri)) continue;
      if (method === 'notifications/message' && !isSevereEnough(params.level, session.logLevel)) continue;
      session.tell(method, params);
    }
  }

  /** Sessions know resources by the server's own URI. */
  #hears(subscriptions: ReadonlyMap<string, unknown>, shown: string): boolean {
    if (subscriptions.size === 0) return false;
    const found = this.#hub.catalog.uris.resolve(shown);
    return found !== undefined && subscriptions.has(found.uri);
  }
}

function isAt({ url = '' }: IncomingMessage, place: string): boolean {
  const end = url.indexOf('?');
  return (end < 0 ? url : url.slice(0, end)).endsWith(place);
}

function claimsModern({ headers }: IncomingMessage, body: unknown): boolean {
  if (headers['mcp-protocol-version'] === modernVersion || headers['mcp-method'] !== undefined) return true;
  const params = typeof body === 'object' && body !== null && 'params' in body ? body.params : undefined;
  const meta = typeof params === 'object' && params !== null && '_meta' in params ? params._meta : undefined;
  return typeof meta === 'object' && meta !== null && PROTOCOL_VERSION_META_KEY in meta;
}
