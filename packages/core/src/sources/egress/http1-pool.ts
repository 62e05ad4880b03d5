import { buildConnector, Dispatcher, errors } from 'undici';
import type { Connector } from './dial.ts';
import { Http1Connection, Http1Request } from './http1-connection.ts';
import { RequestHeads } from './http1-head.ts';
import { KnownHeads } from './http1-response.ts';
import { bareHost } from './policy.ts';

export interface Http1PoolOptions {
  /** The most connections at one time. Default 256; further requests wait. */
  readonly connections?: number;
  /** The largest body of an answer, in bytes. Default: no limit. */
  readonly maxResponseSize?: number;
  /** How long a connection is kept without work where the server does not say, in milliseconds. Default 4 seconds. */
  readonly keepMs?: number;
  /** Dials. Default: undici's. */
  readonly connect?: Connector;
}

/** Connections that had no work for so long are looked at before they are used, in milliseconds. */
const staleMs = 20;
const sweepMs = 1_000;
/** How long a connection is kept that nobody has used, in milliseconds. */
const unusedMs = 4_000;

/**
 * Lasting connections to one server over HTTP/1.1, for requests with short answers, of which there are many. It stands
 * in for undici's `Pool` with the same interface, for bodies of text or bytes and without time limits; a request costs
 * about half as much: one write, no copy, no timer.
 */
export class Http1Pool extends Dispatcher {
  readonly #origin: URL;
  readonly #options: Http1PoolOptions;
  readonly #connect: Connector;
  readonly #all = new Set<Http1Connection>();
  /** The one that was used last comes first: what is not needed grows old. */
  readonly #idle: Http1Connection[] = [];
  readonly #waiting: Http1Request[] = [];
  readonly #heads = new KnownHeads();
  readonly #requestHeads: RequestHeads;
  #dialling = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #closedBy: Error | undefined;

  constructor(origin: string | URL, options: Http1PoolOptions = {}) {
    super();
    this.#origin = new URL(origin);
    this.#requestHeads = new RequestHeads(this.#origin.host);
    this.#options = options;
    // Two answers on one connection at a time are not for HTTP/1.1.
    this.#connect = options.connect ?? buildConnector({ allowH2: false });
  }

  /** Sends a request. What goes wrong is told to the handler. */
  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    let request: Http1Request | undefined;
    try {
      if (this.#closedBy) throw this.#closedBy;
      request = this.#requestOf(options, handler);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const never = new Http1Request(handler, '', '', 0);
      never.fail(error);
      return false;
    }
    const connection = this.#idleOne();
    if (!connection) this.#wait(request);
    else if (performance.now() - connection.idleSince < staleMs) connection.send(request);
    else setImmediate(() => this.#sendIfOpen(connection, request));
    return true;
  }

  /** Ends all connections, whatever is under way on them. */
  override async destroy(error?: unknown): Promise<void> {
    this.#closedBy ??= error instanceof Error ? error : new errors.ClientDestroyedError();
    clearInterval(this.#sweeper);
    for (const request of this.#waiting.splice(0)) request.fail(this.#closedBy);
    for (const connection of [...this.#all]) connection.socket.destroy(this.#closedBy);
  }

  override async close(): Promise<void> {
    await this.destroy(new errors.ClientClosedError());
  }

  #requestOf({ method, path, headers, body }: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) {
    if (body !== null && body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body))
      throw new errors.InvalidArgumentError('The body must be text or bytes.');
    if (method !== 'POST' && method !== 'GET' && method !== 'DELETE')
      throw new errors.InvalidArgumentError(`The method ${method} is not for this pool.`);
    const text = body ?? '';
    const length = Buffer.byteLength(text);
    const first = `${method} ${path} HTTP/1.1\r\n${this.#requestHeads.of(headers as Record<string, unknown> | undefined)}`;
    const head = method === 'POST' || length > 0 ? `${first}content-length: ${length}\r\n` : first;
    return new Http1Request(handler, head, text, length);
  }

  #idleOne(): Http1Connection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.isUsable && connection.keptUntil > performance.now()) return connection;
      connection.destroy();
    }
    return undefined;
  }

  /** By then it has been heard if the server closed the connection meanwhile. */
  #sendIfOpen(connection: Http1Connection, request: Http1Request): void {
    if (request.isOver) {
      if (connection.isUsable) this.#free(connection);
    } else if (connection.isUsable) connection.send(request);
    else this.#wait(request);
  }

  #wait(request: Http1Request): void {
    if (this.#closedBy) return request.fail(this.#closedBy);
    this.#waiting.push(request);
    const { connections = 256 } = this.#options;
    if (this.#all.size + this.#dialling < connections && this.#dialling < this.#waiting.length) this.#dial();
  }

  #dial(): void {
    this.#dialling++;
    const { protocol, hostname, port, host } = this.#origin;
    // A URL writes an IPv6 address in brackets, and sockets want it without.
    this.#connect({ protocol, hostname: bareHost(hostname), port, host }, (error, socket) => {
      this.#dialling--;
      if (error) return this.#nextWaiting()?.fail(error);
      if (this.#closedBy) return void socket.destroy();
      const connection = new Http1Connection(socket, {
        heads: this.#heads,
        keepMs: this.#options.keepMs ?? 4_000,
        maxResponseBytes: this.#options.maxResponseSize ?? Number.POSITIVE_INFINITY,
        onIdle: (idle) => this.#free(idle),
        onClose: (closed) => this.#gone(closed),
      });
      this.#all.add(connection);
      connection.keptUntil = performance.now() + unusedMs;
      this.#free(connection);
    });
  }

  #free(connection: Http1Connection): void {
    const next = this.#nextWaiting();
    if (next) return connection.send(next);
    connection.idleSince = performance.now();
    this.#idle.push(connection);
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
  }

  #nextWaiting(): Http1Request | undefined {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) if (!next.isOver) return next;
    return undefined;
  }

  #gone(connection: Http1Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#closedBy || this.#waiting.length <= this.#dialling) return;
    this.#dial();
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of [...this.#idle]) {
      if (connection.keptUntil <= now || !connection.isUsable) connection.destroy();
      else if (now - connection.idleSince >= sweepMs) connection.unref();
    }
    if (this.#all.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
