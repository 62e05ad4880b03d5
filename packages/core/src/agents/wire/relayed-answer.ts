import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';

/** Headers of an answer that are the client's, too. */
const passedOn = /^(?:content-type|cache-control|retry-after|x-request-id|openai-.*|x-ratelimit-.*)$/;

/**
 * The answer of an endpoint on its way to a client. What comes in at one time goes out as one write: an endpoint sends a
 * chunk for each token, and each write costs more than all else.
 */
export class RelayedAnswer implements Dispatcher.DispatchHandler {
  /** Settles when the answer has been passed on; rejects with what broke it off. */
  readonly done: Promise<void>;
  /** Whether the answer that began is an event stream. */
  isStream = false;
  /** The status of an endpoint that refused the key; such an answer is none of the client's. */
  refusedKey: number | undefined;
  /** Whether it was broken off because nothing came for too long. */
  wasSilent = false;
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #abort = () => this.#breakOff(new Error('The request was withdrawn.'));
  #controller: Dispatcher.DispatchController | undefined;
  #brokenOff: Error | undefined;
  #gathered: Buffer[] = [];
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  /** `silenceMs`: how long nothing may come before it is broken off. A client that does not read is not counted. */
  constructor(response: ServerResponse, { signal, silenceMs }: { signal: AbortSignal; silenceMs: number }) {
    this.#response = response;
    this.#signal = signal;
    this.#timer = setTimeout(() => this.#silent(), silenceMs);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) this.#abort();
    else if (this.#brokenOff) controller.abort(this.#brokenOff);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    if (status === 401 || status === 403) {
      this.refusedKey = status;
      return;
    }
    const shown: Record<string, string | string[]> = {};
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined && passedOn.test(name)) shown[name] = value;
    }
    this.isStream = String(shown['content-type'] ?? '').startsWith('text/event-stream');
    this.#response.writeHead(status, shown);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.refusedKey !== undefined) return;
    if (this.#gathered.push(chunk) > 1) return;
    this.#timer.refresh();
    process.nextTick(() => this.#pass());
  }

  onResponseEnd(): void {
    this.#ended();
    if (this.refusedKey === undefined) this.#response.end(this.#taken());
    this.#resolve();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#ended();
    this.#pass();
    this.#reject(error);
  }

  #ended(): void {
    this.#signal.removeEventListener('abort', this.#abort);
    clearTimeout(this.#timer);
  }

  #silent(): void {
    if (this.#controller?.paused) return void this.#timer.refresh();
    this.wasSilent = true;
    this.#breakOff(new Error('Nothing came for too long.'));
  }

  /** A request that still waits for a connection is given up now, and ended when it gets one. */
  #breakOff(error: Error): void {
    this.#brokenOff = error;
    if (this.#controller) this.#controller.abort(error);
    else this.onResponseError(undefined, error);
  }

  /** A client that reads slowly slows the endpoint. */
  #pass(): void {
    const bytes = this.#taken();
    if (!bytes || this.#response.destroyed || this.#response.write(bytes)) return;
    this.#controller?.pause();
    this.#response.once('drain', () => {
      this.#timer.refresh();
      this.#controller?.resume();
    });
  }

  #taken(): Buffer | undefined {
    const gathered = this.#gathered;
    if (gathered.length === 0) return undefined;
    this.#gathered = [];
    return gathered.length === 1 ? gathered[0] : Buffer.concat(gathered);
  }
}
