import { createParser, type EventSourceParser } from 'eventsource-parser';
import { type Dispatcher, Pool } from 'undici';
import { LunaError, messageOf } from '../../errors/index.ts';
import { refusalIn } from './egress/index.ts';

/**
 * The short way of a request over streamable HTTP: one POST on a pooled connection, the answer's messages handed on as
 * they come, unparsed by any schema (MCP 2025-11-25 and 2026-07-28, transports, "Sending messages to the server").
 */

export interface HttpPostOptions {
  readonly url: URL;
  /** The largest answer, in bytes. */
  readonly maxResponseBytes: number;
  /** Makes the pool of connections. Default: undici's. */
  readonly pool?: (origin: string, options: Pool.Options) => Dispatcher;
  /** Stands between each request and its connection. */
  readonly intercept?: Dispatcher.DispatcherComposeInterceptor;
}

/** Thrown when the server does not know the session any more; the request was not carried out. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';
}

/** Many servers send `/mcp` to `/mcp/`, or the other way round. */
const maxRedirects = 3;

/** A request that has been sent. */
export interface SentPost {
  /** Settles when the answer is complete. */
  readonly done: Promise<void>;
  /** Closes the connection on which the answer would come. */
  abort(): void;
}

/** Each message of an answer, as it was parsed from JSON. */
type Deliver = (message: unknown) => void;

export class HttpPoster {
  readonly #pool: Dispatcher;
  readonly #dispatcher: Dispatcher;
  readonly #url: URL;

  constructor(options: HttpPostOptions) {
    this.#url = options.url;
    // No limit on the time to the answer: that is the pipeline's, which knows of progress.
    const open = options.pool ?? ((origin, settings) => new Pool(origin, settings));
    this.#pool = open(this.#url.origin, {
      connections: 256,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: options.maxResponseBytes,
    });
    this.#dispatcher = options.intercept ? this.#pool.compose(options.intercept) : this.#pool;
  }

  /**
   * Sends one message and hands every message of the answer to `deliver`. `done` throws `SessionLostError`,
   * `source_unavailable` when the server cannot be reached or the connection breaks, and `upstream_error` for any other
   * refusal.
   */
  post(body: string, headers: Record<string, string>, deliver: Deliver): SentPost {
    let answer: Answer | undefined;
    const done = new Promise<void>((resolve, reject) => {
      const send = (url: URL, redirects: number) => {
        answer = new Answer(url, 'mcp-session-id' in headers, deliver, resolve, reject);
        answer.onRedirect = redirects < maxRedirects ? (to) => send(to, redirects + 1) : undefined;
        this.#dispatcher.dispatch(
          { origin: url.origin, method: 'POST', path: url.pathname + url.search, headers, body },
          answer,
        );
      };
      send(this.#url, 0);
    });
    return { done, abort: () => answer?.abort() };
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Takes one answer from the pool as it comes; far cheaper than a stream and a body object for each. */
class Answer implements Dispatcher.DispatchHandler {
  /** Sends the request again to another address of the same server. */
  onRedirect: ((to: URL) => void) | undefined;
  readonly #url: URL;
  readonly #hadSession: boolean;
  readonly #deliver: Deliver;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted = false;
  #status = 0;
  #type = '';
  #redirect: URL | undefined;
  #chunks: Buffer[] = [];
  #events: { parser: EventSourceParser; decoder: InstanceType<typeof TextDecoder> } | undefined;

  constructor(url: URL, hadSession: boolean, deliver: Deliver, resolve: () => void, reject: (error: unknown) => void) {
    this.#url = url;
    this.#hadSession = hadSession;
    this.#deliver = deliver;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort(new Error('The request was withdrawn.'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) this.abort();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#type = String(headers['content-type'] ?? '');
    if (status === 307 || status === 308) this.#redirect = sameServer(String(headers.location ?? ''), this.#url);
    if (status === 200 && this.#type.startsWith('text/event-stream')) {
      this.#events = {
        parser: createParser({ onEvent: ({ data, event }) => this.#take(data, event) }),
        decoder: new TextDecoder(),
      };
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#events) return void this.#chunks.push(chunk);
    try {
      this.#events.parser.feed(this.#events.decoder.decode(chunk, { stream: true }));
    } catch (thrown) {
      this.#reject(thrown);
      this.abort();
    }
  }

  onResponseEnd(): void {
    try {
      if (this.#redirect && this.onRedirect && !this.#aborted) return this.onRedirect(this.#redirect);
      if (!this.#events) this.#takeWhole();
      this.#resolve();
    } catch (thrown) {
      this.#reject(thrown);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(
      refusalIn(error) ??
        new LunaError('source_unavailable', `The connection to ${this.#url.origin} failed: ${messageOf(error)}`, {
          cause: error,
        }),
    );
  }

  #take(data: string, event: string | undefined): void {
    if (data !== '' && (event === undefined || event === 'message')) this.#deliver(this.#parse(data));
  }

  #takeWhole(): void {
    const [first] = this.#chunks;
    const text = (this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks)).toString('utf8');
    if (this.#status === 404 && this.#hadSession) throw new SessionLostError('The server does not know the session.');
    if (this.#type.startsWith('application/json')) {
      const parsed = this.#parse(text);
      if (isRpcAnswer(parsed)) return this.#deliver(parsed);
    }
    const message = `${this.#url.origin} answered with HTTP ${this.#status}: ${text.slice(0, 300) || '(no body)'}`;
    throw new LunaError('upstream_error', message, { details: { status: this.#status } });
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (thrown) {
      const message = `${this.#url.origin} answered with what is not JSON: ${text.slice(0, 300)}`;
      throw new LunaError('upstream_error', message, { cause: thrown, details: { status: this.#status } });
    }
  }
}

/** Credentials go to no other server than the one that they were given for. */
function sameServer(location: string, from: URL): URL | undefined {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  return to?.origin === from.origin ? to : undefined;
}

function isRpcAnswer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'jsonrpc' in value && ('result' in value || 'error' in value);
}
