import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type JSONRPCMessage,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SSEClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { LunaError, messageOf } from '../../errors/index.ts';
import { Cancellation, headerText, type ToolProgress } from '../../tools/index.ts';
import { type HttpPoster, type SentPost, SessionLostError } from './http-post.ts';
import { PendingRequest, type WireRequestOptions, withdrawn } from './pending-request.ts';

/** What a connection has agreed on. */
export interface WireAgreement {
  readonly modern: boolean;
  readonly protocolVersion: string;
  readonly clientInfo: { readonly name: string; readonly version: string };
}

export interface WireOptions {
  readonly transport: Transport;
  readonly agreement: WireAgreement;
  /** For streamable HTTP: the short way. Left out: messages go through the transport. */
  readonly poster?: HttpPoster;
  /** Headers of each request over HTTP, beside those of the protocol. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Gets what the server sends of itself, with the request that it belongs to where that is known. True when it has
   * been dealt with; otherwise it goes to the SDK's client.
   */
  readonly onMessage?: (message: UpstreamMessage, request: WireRequestOptions | undefined) => boolean;
}

/** A request or a notification of the server. */
export interface UpstreamMessage {
  readonly id?: string | number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The SDK's client counts its own requests from 0; these stay far from them and within 32 bits. */
const firstId = 1_000_000_000;

/**
 * Requests to an upstream as they are, past the SDK's parsing: what the server answers comes back with every field
 * that it sent. It shares the transport with the SDK's client, which keeps the handshake and the notifications.
 */
export class Wire {
  readonly #options: WireOptions;
  readonly #pending = new Map<number, PendingRequest>();
  #nextId = firstId;
  #closedBy: LunaError | undefined;
  #onIdle: (() => void) | undefined;

  /** Call after the SDK's client has connected: messages that are not answers to this wire go on to the client. */
  constructor(options: WireOptions) {
    this.#options = options;
    const { transport } = options;
    const client = transport.onmessage;
    transport.onmessage = (message, extra) => {
      if (!this.#take(message, undefined)) client?.(message, extra);
    };
  }

  /** The requests that are under way. */
  get underWay(): Iterable<WireRequestOptions> {
    return [...this.#pending.values()].map((pending) => pending.options);
  }

  /**
   * Sends a request and returns its result. Throws `upstream_error` with the JSON-RPC error in `details.rpc`,
   * `cancelled` when it is cancelled (the server is told), `source_unavailable` when the connection breaks.
   * `paramHeaders` go with it over HTTP.
   */
  request(
    method: string,
    params: Readonly<Record<string, unknown>>,
    options: WireRequestOptions,
    paramHeaders?: Readonly<Record<string, string>>,
  ): Promise<Record<string, unknown>> {
    if (this.#closedBy) return Promise.reject(this.#closedBy);
    const id = this.#nextId++;
    const message = { jsonrpc: '2.0' as const, id, method, params: this.#withMeta(params, id, options) };
    return new Promise((resolve, reject) => {
      const cancellation = options.cancellation ?? Cancellation.of(options.signal);
      const pending = new PendingRequest(options, cancellation, resolve, reject);
      if (cancellation.cancelled) return reject(withdrawn(cancellation.reason));
      this.#pending.set(id, pending);
      pending.end = () => {
        this.#pending.delete(id);
        if (this.#pending.size === 0) this.#onIdle?.();
      };
      pending.cancel = (reason) => {
        pending.reject(withdrawn(reason));
        this.#cancel(id, sent);
      };
      cancellation.onCancel(pending.cancel);
      const sent = this.#send(message, pending, paramHeaders);
    });
  }

  /** Sends something that has no answer: a notification, or an answer to the server. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (!this.#closedBy) await this.#options.transport.send(message);
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

  #send(
    message: JSONRPCMessage & { id: number; method: string; params: Record<string, unknown> },
    pending: PendingRequest,
    paramHeaders: Readonly<Record<string, string>> | undefined,
  ): SentPost | undefined {
    const { poster, transport } = this.#options;
    if (!poster) {
      this.#sendThrough(transport, message).catch((thrown) => pending.reject(thrown));
      return undefined;
    }
    pending.take = (answer) => this.#deliver(answer as JSONRPCMessage, pending);
    const headers = this.#headersOf(message.method, message.params, pending.options.requestId);
    return poster.post(JSON.stringify(message), paramHeaders ? { ...headers, ...paramHeaders } : headers, pending);
  }

  /** Anything else on an answer's stream (a notification, a question) takes the way of the transport's own messages. */
  #deliver(message: JSONRPCMessage, pending: PendingRequest): void {
    if (!this.#take(message, pending)) this.#options.transport.onmessage?.(message);
  }

  /** A server on SSE that was started anew refuses what is posted to the address of the former session. */
  async #sendThrough(transport: Transport, message: JSONRPCMessage): Promise<void> {
    try {
      await transport.send(message);
    } catch (thrown) {
      if (!(transport instanceof SSEClientTransport && isRefusal(thrown))) throw thrown;
      throw new SessionLostError(`The server refused the message: ${messageOf(thrown)}`);
    }
  }

  #headersOf(method: string, params: Record<string, unknown>, requestId: string | undefined): Record<string, string> {
    const { agreement, headers, transport } = this.#options;
    const all: Record<string, string> = {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': agreement.protocolVersion,
    };
    if (requestId !== undefined) all['x-request-id'] ??= requestId;
    if (transport.sessionId !== undefined) all['mcp-session-id'] = transport.sessionId;
    if (agreement.modern) {
      all['mcp-method'] = method;
      const name = params.name ?? params.uri;
      if (typeof name === 'string') all['mcp-name'] = headerText(name);
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
          [CLIENT_CAPABILITIES_META_KEY]: options.client?.capabilities ?? {},
          ...(options.client?.logLevel !== undefined && { [LOG_LEVEL_META_KEY]: options.client.logLevel }),
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

  /** Takes what is for this wire: answers and progress of its requests, and what its owner deals with. */
  #take(message: JSONRPCMessage, carrier: PendingRequest | undefined): boolean {
    if (!('method' in message)) {
      const pending = typeof message.id === 'number' ? this.#pending.get(message.id) : undefined;
      if (!pending) return typeof message.id === 'number' && message.id >= firstId;
      if ('error' in message) pending.reject(rpcError(message.error));
      else pending.resolve(message.result as Record<string, unknown>);
      return true;
    }
    if (message.method === 'notifications/progress') {
      const { progressToken, ...progress } = message.params ?? {};
      const pending = typeof progressToken === 'number' ? this.#pending.get(progressToken) : undefined;
      if (!pending) return typeof progressToken === 'number' && progressToken >= firstId;
      pending.options.onProgress?.(progress as unknown as ToolProgress);
      return true;
    }
    const { onMessage } = this.#options;
    if (!onMessage) return false;
    const { method, params = {} } = message;
    return onMessage({ ...('id' in message && { id: message.id }), method, params }, carrier?.options);
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
