import { createParser } from 'eventsource-parser';
import { type Dispatcher, Pool } from 'undici';
import { LunaError, messageOf } from '../../errors/index.ts';

/**
 * The short way of a request over streamable HTTP: one POST on a pooled connection, the answer's messages handed on as
 * they come, unparsed by any schema (MCP 2025-11-25 and 2026-07-28, transports, "Sending messages to the server").
 */

export interface HttpPostOptions {
  readonly url: URL;
  /** The largest answer, in bytes. */
  readonly maxResponseBytes: number;
}

/** Thrown when the server does not know the session any more; the request was not carried out. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';
}

export class HttpPoster {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #origin: string;

  constructor(options: HttpPostOptions) {
    this.#origin = options.url.origin;
    this.#path = options.url.pathname + options.url.search;
    // No limit on the time to the answer: that is the pipeline's, which knows of progress.
    this.#pool = new Pool(this.#origin, {
      connections: 256,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: options.maxResponseBytes,
    });
  }

  /**
   * Sends one message and hands every message of the answer to `deliver`. Settles when the answer is complete. Throws
   * `SessionLostError`, `source_unavailable` when the server cannot be reached or the connection breaks, and
   * `upstream_error` for any other refusal.
   */
  async post(
    body: string,
    headers: Record<string, string>,
    signal: AbortSignal,
    deliver: (message: unknown) => void,
  ): Promise<void> {
    const response = await this.#send(body, headers, signal);
    const type = String(response.headers['content-type'] ?? '');
    try {
      if (response.statusCode === 200 && type.startsWith('text/event-stream')) await readEvents(response.body, deliver);
      else await this.#readWhole(response, type, 'mcp-session-id' in headers, deliver);
    } catch (thrown) {
      throw signal.aborted || thrown instanceof LunaError || thrown instanceof SessionLostError
        ? thrown
        : this.#broken(thrown);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #send(body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#pool.request({ method: 'POST', path: this.#path, headers, body, signal });
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      throw this.#broken(thrown);
    }
  }

  async #readWhole(
    response: Dispatcher.ResponseData,
    type: string,
    hadSession: boolean,
    deliver: (message: unknown) => void,
  ): Promise<void> {
    const text = await response.body.text();
    if (response.statusCode === 404 && hadSession) throw new SessionLostError('The server does not know the session.');
    if (type.startsWith('application/json')) {
      const parsed: unknown = JSON.parse(text);
      if (isRpcAnswer(parsed)) return deliver(parsed);
    }
    throw new LunaError(
      'upstream_error',
      `${this.#origin} answered with HTTP ${response.statusCode}: ${text.slice(0, 300) || '(no body)'}`,
      {
        details: { status: response.statusCode },
      },
    );
  }

  #broken(thrown: unknown): LunaError {
    return new LunaError('source_unavailable', `The connection to ${this.#origin} failed: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

async function readEvents(body: Dispatcher.ResponseData['body'], deliver: (message: unknown) => void): Promise<void> {
  const parser = createParser({
    onEvent: (event) => {
      if (event.data !== '' && (event.event === undefined || event.event === 'message'))
        deliver(JSON.parse(event.data));
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of body) parser.feed(decoder.decode(chunk, { stream: true }));
}

function isRpcAnswer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'jsonrpc' in value && ('result' in value || 'error' in value);
}
