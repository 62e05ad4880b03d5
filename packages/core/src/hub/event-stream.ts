import type { ServerResponse } from 'node:http';
import { requestIdHeaders } from './json-answer.ts';

/** How soon a client that lost a stream may come back for the rest, in milliseconds. */
const retryMs = 1_000;
/** After so many heartbeats in which a client took nothing of what waits for it, it is given up. */
const mostStuckBeats = 3;

/** An answer that is a stream of server-sent events (WHATWG HTML, "Server-sent events"). */
export class EventStream {
  readonly #response: ServerResponse;
  /** What waited for the client at the last heartbeat, in bytes, and for how many heartbeats it did not become less. */
  #waiting = 0;
  #stuckBeats = 0;

  constructor(response: ServerResponse, headers: Readonly<Record<string, string>> = {}) {
    this.#response = response;
    // A connection whose other end has vanished is found out, and small events are not held back.
    response.socket?.setKeepAlive(true, 10_000);
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...requestIdHeaders(response),
      ...headers,
    });
    response.flushHeaders();
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  onClose(listener: () => void): void {
    this.#response.once('close', listener);
  }

  /** Data is one line of JSON, or empty for an event that only carries an id. */
  send(data: string, { id, event = 'message' }: { id?: string | undefined; event?: string } = {}): void {
    if (!this.isOpen) return;
    const head = id === undefined ? '' : `id: ${id}\n`;
    // An event without data is not delivered by clients; it only tells when to come back, and with which id.
    this.#response.write(
      data === '' ? `${head}retry: ${retryMs}\ndata: \n\n` : `${head}event: ${event}\ndata: ${data}\n\n`,
    );
  }

  /**
   * Keeps proxies from closing a silent connection. One that takes nothing any more is given up; one on which something
   * is on its way, which may be no more than what was written a moment ago, is not.
   */
  beat(): void {
    if (!this.isOpen) return;
    const waiting = this.#response.writableLength;
    this.#stuckBeats = waiting > 0 && waiting >= this.#waiting ? this.#stuckBeats + 1 : 0;
    this.#waiting = waiting;
    if (this.#stuckBeats >= mostStuckBeats) this.#response.destroy();
    else if (waiting === 0) this.#response.write(': \n\n');
  }

  end(): void {
    if (this.isOpen) this.#response.end();
  }
}
