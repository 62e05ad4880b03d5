import type { IncomingMessage, ServerResponse } from 'node:http';
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import type { McpObject } from '../tools/index.ts';
import { EventStream } from './event-stream.ts';
import { Exchange, type RpcRequest } from './exchange.ts';
import type { McpHub } from './hub.ts';
import { headerOf, idOf, refuse, requestIdOf, resultMessage, sendEmpty, sendJson } from './json-answer.ts';
import { PostOutlet } from './outlet.ts';
import { rpcCodes } from './rpc-error.ts';
import { LegacySession } from './session.ts';
import type { Sessions } from './sessions.ts';

/** Versions of the protocol that have sessions, newest first. */
export const legacyVersions: readonly string[] = SUPPORTED_PROTOCOL_VERSIONS.filter((version) => version < '2026');
const latestLegacy = legacyVersions[0] ?? '2025-11-25';
/** The only version in which a client may send several messages at once. */
const batchVersion = '2025-03-26';

/** Streamable HTTP as the 2025 protocols have it: sessions, a stream for notifications, streams that can be resumed. */
export class LegacyHttp {
  readonly #hub: McpHub;
  readonly #sessions: Sessions;
  readonly #onLogLevel: () => void;

  constructor(hub: McpHub, sessions: Sessions, onLogLevel: () => void) {
    this.#hub = hub;
    this.#sessions = sessions;
    this.#onLogLevel = onLogLevel;
  }

  /** Answers a POST whose body has been parsed. */
  post(request: IncomingMessage, response: ServerResponse, owner: string, body: unknown): void {
    const sessionId = headerOf(request, 'mcp-session-id');
    if (!acceptsBoth(request.headers.accept))
      return refuseAccept(response, 'both application/json and text/event-stream');
    if (sessionId === undefined) return this.#open(response, owner, body);
    const session = this.#sessions.use(sessionId, owner);
    if (!session) return refuse(response, 404, { code: -32001, message: 'Session not found' }, idOf(body));
    if (!this.#agrees(request, session)) return refuseVersion(response, request, idOf(body));
    if (Array.isArray(body)) return this.#batch(session, body, request, response);
    this.#message(session, body, request, response);
  }

  /** Opens the stream of a session's notifications, or goes on with one that broke. */
  get(request: IncomingMessage, response: ServerResponse, owner: string): void {
    const sessionId = headerOf(request, 'mcp-session-id');
    if (sessionId === undefined) {
      response.setHeader('allow', 'POST');
      return refuseMissing(response, 405);
    }
    const session = this.#sessions.use(sessionId, owner);
    if (!session) return refuse(response, 404, { code: -32001, message: 'Session not found' });
    if (!request.headers.accept?.includes('text/event-stream')) return refuseAccept(response, 'text/event-stream');
    if (!this.#agrees(request, session)) return refuseVersion(response, request);
    const lastEventId = headerOf(request, 'last-event-id');
    const open = () => new EventStream(response, { 'mcp-session-id': session.id });
    if (lastEventId !== undefined && session.resume(lastEventId, open)) return;
    if (session.hasStream)
      return refuse(response, 409, { code: -32000, message: 'Conflict: the session has a stream already.' });
    session.openStream(open());
  }

  delete(request: IncomingMessage, response: ServerResponse, owner: string): void {
    const sessionId = headerOf(request, 'mcp-session-id');
    if (sessionId === undefined) return refuseMissing(response, 400);
    const session = this.#sessions.use(sessionId, owner);
    if (!session) return refuse(response, 404, { code: -32001, message: 'Session not found' });
    this.#sessions.end(session.id);
    sendEmpty(response, 200);
  }

  #open(response: ServerResponse, owner: string, body: unknown): void {
    const message = Array.isArray(body) && body.some((one) => methodOf(one) === 'initialize') ? undefined : body;
    if (methodOf(message) !== 'initialize' || !isRequest(message)) {
      const text = 'Bad Request: send initialize first, then the Mcp-Session-Id header with each request.';
      return refuse(response, 400, { code: -32000, message: text }, idOf(body));
    }
    const opened = openSession(this.#hub, message.params, owner, this.#onLogLevel);
    if (!opened) {
      const text = 'The parameters of initialize need protocolVersion, capabilities and clientInfo.';
      return refuse(response, 400, { code: rpcCodes.invalidParams, message: text }, message.id);
    }
    this.#sessions.add(opened.session);
    sendJson(response, 200, resultMessage(message.id, JSON.stringify(opened.result)), {
      'mcp-session-id': opened.session.id,
    });
  }

  #message(session: LegacySession, body: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (isRequest(body)) {
      if (body.method === 'initialize')
        return refuse(
          response,
          400,
          { code: rpcCodes.invalidRequest, message: 'The session is open already.' },
          body.id,
        );
      const outlet = new PostOutlet(session, response);
      if (prefersStream(request.headers.accept)) outlet.begin();
      void new Exchange(session, body, outlet, requestIdOf(request)).answer(this.#hub);
      return;
    }
    if (!takeOther(this.#hub, session, body)) return refuseMessage(response, body);
    sendEmpty(response, 202);
  }

  #batch(
    session: LegacySession,
    messages: readonly unknown[],
    { headers }: IncomingMessage,
    response: ServerResponse,
  ): void {
    if (session.protocolVersion !== batchVersion || messages.length === 0) return refuseMessage(response, messages);
    const requests = messages.filter(isRequest);
    for (const message of messages)
      if (!isRequest(message) && !takeOther(this.#hub, session, message)) return refuseMessage(response, message);
    if (requests.length === 0) return sendEmpty(response, 202);
    const outlet = new PostOutlet(session, response, requests.length);
    for (const request of requests)
      void new Exchange(session, request, outlet, requestIdOf({ headers })).answer(this.#hub);
  }

  #agrees(request: IncomingMessage, session: LegacySession): boolean {
    const version = headerOf(request, 'mcp-protocol-version');
    return version === undefined || version === session.protocolVersion || legacyVersions.includes(version);
  }
}

/** The handshake: a session, and what the client is told. Undefined when the parameters are not MCP's. */
export function openSession(
  hub: McpHub,
  params: McpObject,
  owner: string,
  onLogLevel: () => void,
): { session: LegacySession; result: McpObject } | undefined {
  const { protocolVersion: wanted, capabilities, clientInfo } = params;
  if (typeof wanted !== 'string' || !isObject(capabilities) || !isObject(clientInfo)) return undefined;
  const protocolVersion = legacyVersions.includes(wanted) ? wanted : latestLegacy;
  const { instructions } = hub;
  return {
    session: new LegacySession({ owner, protocolVersion, capabilities, onLogLevel }),
    result: {
      protocolVersion,
      capabilities: hub.catalog.capabilities,
      serverInfo: hub.serverInfo,
      ...(instructions !== undefined && { instructions }),
    },
  };
}

/** Takes a notification or an answer of the client; false when it is neither. */
export function takeOther(hub: McpHub, session: LegacySession, message: unknown): boolean {
  if (!isObject(message) || message.jsonrpc !== '2.0') return false;
  if (typeof message.method !== 'string') {
    if (!('id' in message) || !('result' in message || 'error' in message)) return false;
    session.answered(message);
    return true;
  }
  if ('id' in message) return false;
  const params = isObject(message.params) ? message.params : {};
  if (message.method === 'notifications/cancelled') {
    const exchange = session.exchanges.get(params.requestId);
    exchange?.cancellation.cancel(new Error(String(params.reason ?? 'The client cancelled the request.')));
  } else if (message.method === 'notifications/progress') session.progressed(params);
  else if (message.method === 'notifications/roots/list_changed') {
    for (const { peer } of hub.catalog.peers) peer.rootsChanged(session.client);
  }
  return true;
}

export function isRequest(message: unknown): message is RpcRequest & { params: McpObject } {
  if (!isObject(message) || message.jsonrpc !== '2.0' || typeof message.method !== 'string') return false;
  if (typeof message.id !== 'string' && !Number.isInteger(message.id)) return false;
  if (message.params === undefined) message.params = {};
  return isObject(message.params) && (message.params._meta === undefined || isObject(message.params._meta));
}

function methodOf(message: unknown): unknown {
  return isObject(message) ? message.method : undefined;
}

function refuseMessage(response: ServerResponse, message: unknown): void {
  const text = 'Bad Request: the body is not a valid JSON-RPC message.';
  refuse(response, 400, { code: rpcCodes.invalidRequest, message: text }, idOf(message));
}

function refuseMissing(response: ServerResponse, status: number): void {
  const message = 'The Mcp-Session-Id header is missing. Open a session with a POST of initialize.';
  refuse(response, status, { code: -32000, message });
}

function refuseAccept(response: ServerResponse, wanted: string): void {
  refuse(response, 406, { code: -32000, message: `Not Acceptable: the client must accept ${wanted}.` });
}

function refuseVersion(response: ServerResponse, request: IncomingMessage, id: string | number | null = null): void {
  const message = `Bad Request: the protocol version ${headerOf(request, 'mcp-protocol-version')} is not supported (supported: ${legacyVersions.join(', ')}).`;
  refuse(response, 400, { code: -32000, message }, id);
}

/** A client may take both; which one it names first is what it would rather have. */
function prefersStream(accept = ''): boolean {
  return accept.indexOf('text/event-stream') < accept.indexOf('application/json');
}

function acceptsBoth(accept: string | undefined): boolean {
  return accept?.includes('application/json') === true && accept.includes('text/event-stream');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
