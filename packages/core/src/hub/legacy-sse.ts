import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventStream } from './event-stream.ts';
import { Exchange, type RpcRequest } from './exchange.ts';
import type { McpHub } from './hub.ts';
import { errorMessage, idOf, refuse, requestIdHeaders, requestIdOf, resultMessage } from './json-answer.ts';
import { isRequest, openSession, takeOther } from './legacy-http.ts';
import type { Outlet } from './outlet.ts';
import { rpcCodes } from './rpc-error.ts';
import type { LegacySession } from './session.ts';
import type { Sessions } from './sessions.ts';

interface Connection {
  readonly owner: string;
  readonly stream: EventStream;
  readonly outlet: Outlet;
  session: LegacySession | undefined;
}

/**
 * The HTTP transport of MCP 2024-11-05, for clients that know no other: one stream at `…/sse` for all that the server
 * says, a POST to `…/messages` for each message of the client.
 */
export class LegacySse {
  readonly #hub: McpHub;
  readonly #sessions: Sessions;
  readonly #onLogLevel: () => void;
  readonly #connections = new Map<string, Connection>();

  constructor(hub: McpHub, sessions: Sessions, onLogLevel: () => void) {
    this.#hub = hub;
    this.#sessions = sessions;
    this.#onLogLevel = onLogLevel;
  }

  get size(): number {
    return this.#connections.size;
  }

  open(response: ServerResponse, owner: string): void {
    const stream = new EventStream(response);
    const id = randomUUID();
    const send = (message: string) => stream.send(message);
    const outlet: Outlet = { tell: send, answer: send, begin: () => undefined };
    const connection: Connection = { owner, stream, outlet, session: undefined };
    this.#connections.set(id, connection);
    stream.onClose(() => {
      this.#connections.delete(id);
      if (connection.session) this.#sessions.end(connection.session.id);
    });
    // Relative, so that it is right behind a proxy that serves Luna below some other path.
    stream.send(`messages?sessionId=${id}`, { event: 'endpoint' });
  }

  post(request: IncomingMessage, response: ServerResponse, owner: string, body: unknown): void {
    const id = new URL(request.url ?? '', 'http://luna').searchParams.get('sessionId') ?? '';
    const connection = this.#connections.get(id);
    if (connection?.owner !== owner)
      return refuse(response, 404, { code: -32001, message: 'Session not found' }, idOf(body));
    const isTaken = isRequest(body)
      ? this.#request(connection, body, requestIdOf(request))
      : this.#other(connection, body);
    if (!isTaken) {
      const message = 'Bad Request: the body is not a valid JSON-RPC message, or the session is not initialized.';
      return refuse(response, 400, { code: rpcCodes.invalidRequest, message }, idOf(body));
    }
    response.writeHead(202, requestIdHeaders(response)).end('Accepted');
  }

  /** A sign of life on connections whose session is not open yet; a session gives its own. */
  beat(): void {
    for (const { stream, session } of this.#connections.values()) if (!session) stream.beat();
  }

  close(): void {
    for (const { stream } of this.#connections.values()) stream.end();
  }

  #request(connection: Connection, message: RpcRequest, requestId: string | undefined): boolean {
    const { session, outlet } = connection;
    if (session) {
      session.usedAt = performance.now();
      void new Exchange(session, message, outlet, requestId).answer(this.#hub);
      return true;
    }
    if (message.method !== 'initialize') return false;
    const opened = openSession(this.#hub, message.params, connection.owner, this.#onLogLevel);
    if (!opened) {
      outlet.answer(errorMessage(message.id, new Error('The parameters of initialize are not those of MCP.')));
      return true;
    }
    connection.session = opened.session;
    opened.session.openPlainStream(connection.stream);
    this.#sessions.add(opened.session);
    outlet.answer(resultMessage(message.id, JSON.stringify(opened.result)));
    return true;
  }

  #other({ session }: Connection, message: unknown): boolean {
    return session !== undefined && takeOther(this.#hub, session, message);
  }
}
