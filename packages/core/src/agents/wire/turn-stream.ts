import type { ServerResponse } from 'node:http';

/** Comments keep proxies and clients from taking a long silence for the end, in milliseconds. */
const keepAliveMs = 15_000;
/** A client that leaves more unread is let go, in bytes. */
const maxUnread = 16 * 1024 * 1024;

/** An answer as server-sent events. It begins with the first one, so that an error before it can still be a status. */
export class EventOutput {
  readonly #response: ServerResponse;
  readonly #headers: () => Readonly<Record<string, string>>;
  readonly #timer: NodeJS.Timeout;

  /** `headers` go with the answer; asked when it begins. */
  constructor(response: ServerResponse, headers: () => Readonly<Record<string, string>>) {
    this.#response = response;
    this.#headers = headers;
    this.#timer = setInterval(() => this.write(': keep-alive\n\n'), keepAliveMs);
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }

  write(text: string): void {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    if (!response.headersSent)
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
        'x-accel-buffering': 'no',
        ...this.#headers(),
      });
    if (response.writableLength > maxUnread) response.destroy();
    else response.write(text);
  }

  end(): void {
    this.stop();
    if (!this.#response.destroyed) this.#response.end();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
