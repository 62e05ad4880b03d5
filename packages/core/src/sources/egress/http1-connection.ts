import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { type Dispatcher, errors } from 'undici';
import { type KnownHeads, ResponseReader, type ResponseSink } from './http1-response.ts';

/** One request, from its arrival at the pool to the end of its answer. */
export class Http1Request implements Dispatcher.DispatchController {
  readonly handler: Dispatcher.DispatchHandler;
  readonly head: string;
  readonly body: string | Buffer;
  /** The body holds nothing but ASCII: it can be written in one piece with the head. */
  readonly isPlain: boolean;
  /** On which it is under way. */
  connection: Http1Connection | undefined;
  aborted = false;
  paused = false;
  reason: Error | null = null;
  #isOver = false;

  /** `head`: all lines of the head, without the empty one. `length`: that of the body, in bytes. */
  constructor(handler: Dispatcher.DispatchHandler, head: string, body: string | Buffer, length: number) {
    this.handler = handler;
    this.head = head;
    this.body = body;
    this.isPlain = typeof body === 'string' && body.length === length;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  abort(reason: Error): void {
    if (this.aborted || this.#isOver) return;
    this.aborted = true;
    this.reason = reason;
    this.connection?.destroy();
    this.fail(reason);
  }

  pause(): void {
    this.paused = true;
    this.connection?.socket.pause();
  }

  resume(): void {
    this.paused = false;
    this.connection?.socket.resume();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.handler.onResponseEnd?.(this, {});
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.handler.onResponseError?.(this, error);
  }
}

export interface Http1ConnectionOptions {
  /** How long it is kept without work where the server does not say, in milliseconds. */
  readonly keepMs: number;
  readonly maxResponseBytes: number;
  readonly heads: KnownHeads;
  /** The answer is complete, and the connection can take another request. */
  readonly onIdle: (connection: Http1Connection) => void;
  readonly onClose: (connection: Http1Connection) => void;
}

/** One socket to a server, with at most one request at a time. */
export class Http1Connection implements ResponseSink {
  readonly socket: Socket;
  /** Until when it may stay without work, by `performance.now()`. */
  keptUntil = 0;
  /** Since when it is without work. */
  idleSince = 0;
  readonly #options: Http1ConnectionOptions;
  #request: Http1Request | undefined;
  #reader: ResponseReader | undefined;
  #received = 0;
  #isRefed = true;
  #isClosed = false;

  constructor(socket: Socket, options: Http1ConnectionOptions) {
    this.socket = socket;
    this.#options = options;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('end', () => this.#ended());
    socket.on('error', (error: Error) => this.#lost(error));
    socket.on('close', () => this.#lost());
  }

  get isUsable(): boolean {
    return !this.#isClosed && !this.socket.destroyed && this.socket.writable;
  }

  send(request: Http1Request): void {
    this.#request = request;
    this.#reader = new ResponseReader(this, this.#options.heads);
    this.#received = 0;
    request.connection = this;
    if (!this.#isRefed) {
      this.#isRefed = true;
      this.socket.ref();
    }
    request.handler.onRequestStart?.(request, {});
    if (request.aborted || !this.isUsable) return;
    const { head, body, isPlain } = request;
    if (isPlain) return void this.socket.write(`${head}\r\n${body}`, 'latin1');
    this.socket.cork();
    this.socket.write(`${head}\r\n`, 'latin1');
    this.socket.write(body);
    this.socket.uncork();
  }

  /** Without work it does not keep the process running. */
  unref(): void {
    if (!this.#isRefed) return;
    this.#isRefed = false;
    this.socket.unref();
  }

  destroy(): void {
    this.socket.destroy();
    this.#closed();
  }

  head(status: number, headers: IncomingHttpHeaders): void {
    const request = this.#request;
    request?.handler.onResponseStart?.(request, status, headers);
  }

  data(bytes: Buffer): void {
    this.#received += bytes.length;
    if (this.#received > this.#options.maxResponseBytes) throw new errors.ResponseExceededMaxSizeError();
    const request = this.#request;
    if (request && !request.aborted) request.handler.onResponseData?.(request, bytes);
  }

  end(keepMs = this.#options.keepMs): void {
    this.idleSince = performance.now();
    this.keptUntil = keepMs === 0 ? 0 : this.idleSince + keepMs;
  }

  #take(bytes: Buffer): void {
    const reader = this.#reader;
    const request = this.#request;
    // What comes unasked is nobody's answer.
    if (!reader || !request) return this.destroy();
    try {
      const taken = reader.feed(bytes);
      if (!reader.isDone || request.isOver) return;
      this.#reader = undefined;
      this.#request = undefined;
      // Who takes no more of a complete answer does not hold up the next one.
      if (request.paused) this.socket.resume();
      if (taken < bytes.length || this.keptUntil === 0 || !this.isUsable) this.destroy();
      else this.#options.onIdle(this);
    } catch (thrown) {
      return this.#lost(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
    request.end();
  }

  #ended(): void {
    const request = this.#request;
    if (this.#reader?.closed() && request) {
      this.#request = undefined;
      this.destroy();
      request.end();
    } else this.#lost();
  }

  #lost(error: Error = new errors.SocketError('other side closed')): void {
    const request = this.#request;
    this.#request = undefined;
    this.destroy();
    request?.fail(error);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onClose(this);
  }
}
