import { createParser, type EventSourceParser } from 'eventsource-parser';
import type { Dispatcher } from 'undici';
import { LunaError, messageOf, systemCodeOf } from '../../errors/index.ts';
import { Http1Pool, type Http1PoolOptions, refusalIn } from '../egress/index.ts';
import { rpcError } from './rpc-error.ts';

/**
 * The short way of a request over streamable HTTP: one POST on a pooled connection, the answer's messages handed on as
 * they come, unparsed by any schema (MCP 2025-11-25 and 2026-07-28, transports, "Sending messages to the server").
 */

export interface HttpPostOptions {
  readonly url: URL;
  /** The largest answer, in bytes. */
  readonly maxResponseBytes: number;
  /** Makes the pool of connections, without limits on time. Default: an {@link Http1Pool}. */
  readonly pool?: (origin: string, options: Http1PoolOptions) => Dispatcher;
  /** Stands between each request and its connection. */
  readonly intercept?: Dispatcher.DispatcherComposeInterceptor;
}

/** Thrown when the server does not know the session any more; the request was not carried out. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';
}

/** Many servers send `/mcp` to `/mcp/`, or the other way round. */
const maxRedirects = 3;

/** How an answer whose stream ended too early is asked for again (MCP 2025-11-25, transports, "Resumability"). */
const resuming = { standardDelayMs: 1_000, mostDelayMs: 30_000, mostFailures: 5 };

/** A request that has been sent. */
export interface SentPost {
  /** Closes the connection on which the answer would come. */
  abort(): void;
}

/** Who waits for an answer. */
export interface AnswerReceiver {
  /** Gets each message of the answer, as it was parsed from so many characters of JSON. */
  deliver(message: unknown, length: number): void;
  /**
   * Called once, when nothing more comes: with `SessionLostError`, `source_unavailable` when the server cannot be
   * reached or the connection breaks, and `upstream_error` for any other refusal; or when the answer is complete.
   */
  ended(error?: unknown): void;
  /** Whether the response itself has not come yet. */
  readonly isWaiting: boolean;
}

type Dispatch = Dispatcher['dispatch'];

/** An address with its parts, which a `URL` would make anew for each request. */
interface Place {
  readonly url: URL;
  readonly origin: string;
  readonly path: string;
}

function placeOf(url: URL): Place {
  return { url, origin: url.origin, path: url.pathname + url.search };
}

export class HttpPoster {
  readonly #pool: Dispatcher;
  readonly #dispatch: Dispatch;
  readonly #place: Place;

  constructor(options: HttpPostOptions) {
    this.#place = placeOf(options.url);
    // No limit on the time to the answer: that is the pipeline's, which knows of progress.
    const open = options.pool ?? ((origin, settings) => new Http1Pool(origin, settings));
    this.#pool = open(this.#place.origin, { connections: 256, maxResponseSize: options.maxResponseBytes });
    // Taken out once: what undici composes looks it up anew for each request.
    const { dispatch } = options.intercept ? this.#pool.compose(options.intercept) : this.#pool;
    this.#dispatch = dispatch.bind(this.#pool);
  }

  /** Sends one message and hands every message of the answer on as it comes. */
  post(body: string, headers: Readonly<Record<string, string>>, receiver: AnswerReceiver): SentPost {
    const answer = new Answer(this.#dispatch, this.#place, headers, body, receiver);
    answer.send();
    return answer;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Takes one answer from the pool as it comes; far cheaper than a stream and a body object for each. */
class Answer implements Dispatcher.DispatchHandler, SentPost {
  readonly #dispatch: Dispatch;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #body: string;
  readonly #receiver: AnswerReceiver;
  #place: Place;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted = false;
  #status = 0;
  #type = '';
  #redirects = 0;
  #redirect: URL | undefined;
  #lastEventId: string | undefined;
  #retryMs = resuming.standardDelayMs;
  #failedResumptions = 0;
  #resumeTimer: NodeJS.Timeout | undefined;
  #chunks: Buffer[] = [];
  #events: { parser: EventSourceParser; decoder: InstanceType<typeof TextDecoder> } | undefined;

  constructor(
    dispatch: Dispatch,
    place: Place,
    headers: Readonly<Record<string, string>>,
    body: string,
    receiver: AnswerReceiver,
  ) {
    this.#dispatch = dispatch;
    this.#place = place;
    this.#headers = headers;
    this.#body = body;
    this.#receiver = receiver;
  }

  send(): void {
    const { origin, path } = this.#place;
    this.#dispatch({ origin, method: 'POST', path, headers: this.#headers, body: this.#body }, this);
  }

  abort(): void {
    this.#aborted = true;
    clearTimeout(this.#resumeTimer);
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
    this.#type = String(headers['content-type'] ?? '').toLowerCase();
    if (status === 307 || status === 308) this.#redirect = sameServer(String(headers.location ?? ''), this.#place.url);
    if (status === 200 && this.#type.startsWith('text/event-stream')) {
      this.#events = {
        parser: createParser({
          onEvent: ({ data, event, id }) => {
            this.#lastEventId = id ?? this.#lastEventId;
            this.#take(data, event);
          },
          onRetry: (ms) => {
            this.#retryMs = Math.min(ms, resuming.mostDelayMs);
          },
        }),
        decoder: new TextDecoder(),
      };
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#events) return void this.#chunks.push(chunk);
    try {
      this.#events.parser.feed(this.#events.decoder.decode(chunk, { stream: true }));
    } catch (thrown) {
      this.#receiver.ended(thrown);
      this.abort();
    }
  }

  onResponseEnd(): void {
    try {
      if (this.#redirect && this.#redirects < maxRedirects && !this.#aborted) return this.#sendTo(this.#redirect);
      if (!this.#events) this.#takeWhole();
      else if (this.#canResume) return this.#resumeLater();
      this.#receiver.ended();
    } catch (thrown) {
      this.#receiver.ended(thrown);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const refusal = refusalIn(error);
    if (!refusal && this.#canResume && ++this.#failedResumptions <= resuming.mostFailures) return this.#resumeLater();
    this.#receiver.ended(refusal ?? connectionFailed(this.#place, error));
  }

  /** A server may end the stream of an answer that takes long, and wants to be asked for the rest. */
  get #canResume(): boolean {
    return this.#lastEventId !== undefined && this.#receiver.isWaiting && !this.#aborted;
  }

  #resumeLater(): void {
    this.#resumeTimer = setTimeout(() => this.#resume(), this.#retryMs);
  }

  #resume(): void {
    const { 'content-type': _type, ...headers } = this.#headers;
    this.#events = undefined;
    this.#chunks = [];
    this.#dispatch(
      {
        origin: this.#place.origin,
        method: 'GET',
        path: this.#place.path,
        headers: { ...headers, accept: 'text/event-stream', 'last-event-id': this.#lastEventId ?? '' },
      },
      this,
    );
  }

  /** Sends the request again to another address of the same server. */
  #sendTo(url: URL): void {
    this.#redirects++;
    this.#redirect = undefined;
    this.#chunks = [];
    this.#place = placeOf(url);
    this.send();
  }

  #take(data: string, event: string | undefined): void {
    if (data !== '' && (event === undefined || event === 'message')) this.#deliver(this.#parse(data), data.length);
  }

  /** Servers of 2025-03-26 may put several messages into one. */
  #deliver(message: unknown, length: number): void {
    if (!Array.isArray(message)) return this.#receiver.deliver(message, length);
    for (const one of message) this.#receiver.deliver(one, length);
  }

  #takeWhole(): void {
    const [first] = this.#chunks;
    const text = (this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks)).toString('utf8');
    if (this.#status === 404 && 'mcp-session-id' in this.#headers)
      throw new SessionLostError('The server does not know the session.');
    if (this.#type.startsWith('application/json')) {
      const parsed = this.#parse(text);
      if (isUnaddressedError(parsed)) throw rpcError(parsed.error);
      if (isRpcAnswer(parsed) || (Array.isArray(parsed) && parsed.some(isRpcAnswer)))
        return this.#deliver(parsed, text.length);
    }
    const message = `${this.#place.origin} answered with HTTP ${this.#status}: ${text.slice(0, 300) || '(no body)'}`;
    throw new LunaError('upstream_error', message, { details: { status: this.#status } });
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (thrown) {
      const message = `${this.#place.origin} answered with what is not JSON: ${text.slice(0, 300)}`;
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

/** A server that could not read who asks answers so; over HTTP it can mean nobody else. */
function isUnaddressedError(value: unknown): value is { readonly error: object } {
  if (typeof value !== 'object' || value === null || !('jsonrpc' in value && 'error' in value)) return false;
  return (!('id' in value) || value.id === null) && typeof value.error === 'object' && value.error !== null;
}

/** Nothing was sent where there was nobody to send it to. */
const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

function connectionFailed({ origin }: Place, error: Error): LunaError {
  const isSent = !neverConnected.has(systemCodeOf(error) ?? '');
  const doubt = isSent ? ' Whether the call took effect is not known.' : '';
  return new LunaError('source_unavailable', `The connection to ${origin} failed: ${messageOf(error)}.${doubt}`, {
    cause: error,
    details: { outcome: isSent ? 'unknown' : 'failed' },
  });
}
