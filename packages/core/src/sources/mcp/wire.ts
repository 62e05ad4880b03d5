import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type JSONRPCMessage,
  PROTOCOL_VERSION_META_KEY,
  SSEClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { LunaError, messageOf } from '../../errors/index.ts';
import type { ToolProgress } from '../../tools/index.ts';
import { type HttpPoster, type SentPost, SessionLostError } from './http-post.ts';

/** What a connection has agreed on. */
export interface WireAgreement {
  readonly modern: boolean;
  readonly protocolVersion: string;
  readonly clientInfo: { readonly name: string; readonly version: string };
  readonly clientCapabilities: Readonly<Record<string, unknown>>;
}

export interface WireRequestOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ToolProgress) => void;
}

export interface WireOptions {
  readonly transport: Transport;
  readonly agreement: WireAgreement;
  /** For streamable HTTP: the short way. Left out: messages go through the transport. */
  readonly poster?: HttpPoster;
  /** Headers of each request over HTTP, beside those of the protocol. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Pending {
  readonly resolve: (result: Record<string, unknown>) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: WireRequestOptions['onProgress'];
}

/** The SDK's client counts its own requests from 0; these stay far from them and within 32 bits. */
const firstId = 1_000_000_000;

/**
 * Requests to an upstream as they are, past the SDK's parsing: what the server answers comes back with every field
 * that it sent. It shares the transport with the SDK's client, which keeps the handshake and the notifications.
 */
export class Wire {
  readonly #options: WireOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = firstId;
  #closedBy: LunaError | undefined;
  #onIdle: (() => void) | undefined;

  /** Call after the SDK's client has connected: messages that are not answers to this wire go on to the client. */
  constructor(options: WireOptions) {
    this.#options = options;
    const { transport } = options;
    const client = transport.onmessage;
    transport.onmessage = (message, extra) => {
      if (!this.#take(message)) client?.(message, extra);
    };
  }

  /**
   * Sends a request and returns its result. Throws `upstream_error` with the JSON-RPC error in `details.rpc`,
   * `cancelled` when the signal is aborted (the server is told), `source_unavailable` when the connection breaks.
   */
  request(
    method: string,
    params: Readonly<Record<string, unknown>>,
    options: WireRequestOptions,
  ): Promise<Record<string, unknown>> {
    if (this.#closedBy) return Promise.reject(this.#closedBy);
    const id = this.#nextId++;
    const message = { jsonrpc: '2.0' as const, id, method, params: this.#withMeta(params, id, options) };
    return new Promise((resolve, reject) => {
      let sent: SentPost | undefined;
      const cancel = () => {
        settle(() =>
          reject(new LunaError('cancelled', 'The request was cancelled.', { cause: options.signal.reason })),
        );
        this.#cancel(id, sent);
      };
      const settle = (finish: () => void) => {
        options.signal.removeEventListener('abort', cancel);
        this.#pending.delete(id);
        finish();
        if (this.#pending.size === 0) this.#onIdle?.();
      };
      this.#pending.set(id, {
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
        onProgress: options.onProgress,
      });
      if (options.signal.aborted) return cancel();
      options.signal.addEventListener('abort', cancel, { once: true });
      sent = this.#send(message);
      sent.done.then(
        () => this.#unanswered(id),
        (thrown) => this.#pending.get(id)?.reject(thrown),
      );
    });
  }

  /** Ends every request under way with this error, and every later one. */
  fail(error: LunaError): void {
    this.#closedBy ??= error;
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }

  /** Settles when no request is under way. Ask once. */
  idle(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((settle) => {
      this.#onIdle = settle;
    });
  }

  #send(message: JSONRPCMessage & { id: number; method: string; params: Record<string, unknown> }): SentPost {
    const { poster, transport } = this.#options;
    if (!poster) return { done: this.#sendThrough(transport, message), abort: () => undefined };
    return poster.post(JSON.stringify(message), this.#headersOf(message.method, message.params), this.#deliver);
  }

  /** Anything else on an answer's stream (a notification, a question) takes the way of the transport's own messages. */
  readonly #deliver = (message: unknown): void => {
    if (!this.#take(message as JSONRPCMessage)) this.#options.transport.onmessage?.(message as JSONRPCMessage);
  };

  /** A server on SSE that was started anew refuses what is posted to the address of the former session. */
  async #sendThrough(transport: Transport, message: JSONRPCMessage): Promise<void> {
    try {
      await transport.send(message);
    } catch (thrown) {
      if (!(transport instanceof SSEClientTransport && isRefusal(thrown))) throw thrown;
      throw new SessionLostError(`The server refused the message: ${messageOf(thrown)}`);
    }
  }

  /** Over HTTP a complete answer without our response is an answer that never comes. */
  #unanswered(id: number): void {
    if (!this.#options.poster) return;
    this.#pending
      .get(id)
      ?.reject(
        new LunaError(
          'source_unavailable',
          'The server ended its answer without a response. Whether the call took effect is not known.',
        ),
      );
  }

  #headersOf(method: string, params: Record<string, unknown>): Record<string, string> {
    const { agreement, headers, transport } = this.#options;
    const all: Record<string, string> = {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': agreement.protocolVersion,
    };
    if (transport.sessionId !== undefined) all['mcp-session-id'] = transport.sessionId;
    if (agreement.modern) {
      all['mcp-method'] = method;
      if (typeof params.name === 'string') all['mcp-name'] = headerValue(params.name);
    }
    return all;
  }

  #withMeta(
    params: Readonly<Record<string, unknown>>,
    id: number,
    options: WireRequestOptions,
  ): Record<string, unknown> {
    const { agreement } = this.#options;
    const given = typeof params._meta === 'object' && params._meta !== null ? params._meta : undefined;
    if (!agreement.modern && !options.onProgress && !given) return { ...params };
    return {
      ...params,
      _meta: {
        ...given,
        ...(options.onProgress && { progressToken: id }),
        ...(agreement.modern && {
          [PROTOCOL_VERSION_META_KEY]: agreement.protocolVersion,
          [CLIENT_INFO_META_KEY]: agreement.clientInfo,
          [CLIENT_CAPABILITIES_META_KEY]: agreement.clientCapabilities,
        }),
      },
    };
  }

  /** 2026-07-28 over HTTP: closing the stream cancels. Everywhere else a notification does. */
  #cancel(id: number, sent: SentPost | undefined): void {
    const { agreement, poster, transport } = this.#options;
    if (!agreement.modern || !poster) {
      const notification = { jsonrpc: '2.0' as const, method: 'notifications/cancelled', params: { requestId: id } };
      transport.send(notification).catch((error) => transport.onerror?.(error));
    }
    sent?.abort();
  }

  /** Takes answers and progress of this wire's own requests; false for everything else. */
  #take(message: JSONRPCMessage): boolean {
    if ('id' in message && !('method' in message)) {
      const pending = typeof message.id === 'number' ? this.#pending.get(message.id) : undefined;
      if (!pending) return typeof message.id === 'number' && message.id >= firstId;
      if ('error' in message) pending.reject(rpcError(message.error));
      else pending.resolve(message.result as Record<string, unknown>);
      return true;
    }
    if ('method' in message && message.method === 'notifications/progress') {
      const { progressToken, ...progress } = message.params ?? {};
      const pending = typeof progressToken === 'number' ? this.#pending.get(progressToken) : undefined;
      if (!pending) return typeof progressToken === 'number' && progressToken >= firstId;
      pending.onProgress?.(progress as unknown as ToolProgress);
      return true;
    }
    return false;
  }
}

/** Whether a server on SSE has refused what was posted to it; its stream is another matter. */
export function isRefusal(thrown: unknown): boolean {
  return /\(HTTP 4\d\d\)/.test(messageOf(thrown));
}

/** An error object of JSON-RPC, kept whole in `details.rpc` so that it can be relayed as it came. */
export function rpcError(error: { code: number; message: string; data?: unknown }): LunaError {
  return new LunaError('upstream_error', error.message, { details: { rpc: error } });
}

/** A header value as 2026-07-28 wants it: plain where it can be, else Base64 between marks (SEP-2243). */
function headerValue(value: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?');
  return plain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
