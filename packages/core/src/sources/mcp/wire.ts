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
import { Cancellation, cutBelow, headerText, overLimit, type ToolProgress } from '../../tools/index.ts';
import { type HttpPoster, type SentPost, SessionLostError } from './http-post.ts';
import { type PendingOwner, PendingRequest, type WireRequestOptions, withdrawn } from './pending-request.ts';
import { PendingRequests } from './pending-requests.ts';
import { rpcError } from './rpc-error.ts';
import { textLengthIn } from './stdio-transport.ts';

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

/** Levels of objects and lists in a message. */
const maxDepth = 500;

/**
 * Requests to an upstream as they are, past the SDK's parsing: what the server answers comes back with every field
 * that it sent. It shares the transport with the SDK's client, which keeps the handshake and the notifications.
 */
export class Wire {
  readonly #options: WireOptions;
  readonly #pending = new PendingRequests();
  readonly #owner: PendingOwner = {
    take: (message, request, length) => this.#deliver(message as JSONRPCMessage, request, length),
    withdrawn: (request) => this.#cancel(request.id, request.sent),
    ended: (request) => {
      this.#pending.delete(request);
      if (this.#pending.size === 0) this.#onIdle?.();
    },
  };
  /** The headers that all requests of a session have, always the same object: their text is made once. */
  #headers: Readonly<Record<string, string>> | undefined;
  #headersFor: string | undefined;
  #closedBy: LunaError | undefined;
  #onIdle: (() => void) | undefined;

  /** Call after the SDK's client has connected: messages that are not answers to this wire go on to the client. */
  constructor(options: WireOptions) {
    this.#options = options;
    const { transport } = options;
    const client = transport.onmessage;
    transport.onmessage = (message, extra) => {
      const length = textLengthIn(extra);
      if (!this.#refuseDeep(message, length) && !this.#take(message, undefined, length)) client?.(message, extra);
    };
  }

  /** The requests that are under way. */
  get underWay(): Iterable<WireRequestOptions> {
    return this.#pending.all().map((pending) => pending.options);
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
    return new Promise((resolve, reject) => {
      const cancellation = options.cancellation ?? Cancellation.of(options.signal);
      if (cancellation.cancelled) return reject(withdrawn(cancellation.reason));
      const pending = new PendingRequest(this.#owner, { options, cancellation }, resolve, reject);
      const id = this.#pending.add(pending);
      const message = { jsonrpc: '2.0' as const, id, method, params: this.#withMeta(params, id, options) };
      pending.sent = this.#send(message, pending, paramHeaders);
    });
  }

  /** Sends something that has no answer: a notification, or an answer to the server. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (!this.#closedBy) await this.#options.transport.send(message);
  }

  /** Ends every request under way with this error, and every later one. */
  fail(error: LunaError): void {
    this.#closedBy ??= error;
    for (const pending of this.#pending.all()) pending.reject(error);
  }

  /** Settles when no request is under way. Ask once. */
  idle(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((settle) => {
      this.#onIdle = settle;
    });
  }

  #send(
    message: JSONRPCMessage & { id: number; method: string; params: Readonly<Record<string, unknown>> },
    pending: PendingRequest,
    paramHeaders: Readonly<Record<string, string>> | undefined,
  ): SentPost | undefined {
    const { poster, transport } = this.#options;
    if (!poster) {
      this.#sendThrough(transport, message).catch((thrown) => pending.reject(thrown));
      return undefined;
    }
    const headers = this.#headersOf(message.method, message.params, pending.options.requestId);
    return poster.post(JSON.stringify(message), paramHeaders ? { ...headers, ...paramHeaders } : headers, pending);
  }

  /** Anything else on an answer's stream (a notification, a question) takes the way of the transport's own messages. */
  #deliver(message: JSONRPCMessage, pending: PendingRequest, length: number): void {
    if (!this.#refuseDeep(message, length) && !this.#take(message, pending, length))
      this.#options.transport.onmessage?.(message);
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

  #headersOf(
    method: string,
    params: Readonly<Record<string, unknown>>,
    requestId: string | undefined,
  ): Readonly<Record<string, string>> {
    const { agreement, headers, transport } = this.#options;
    const { sessionId } = transport;
    if (sessionId !== this.#headersFor || !this.#headers) {
      this.#headersFor = sessionId;
      this.#headers = {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        // Without this a server may answer in any (RFC 9110, section 12.5.3); nothing here unpacks.
        'accept-encoding': 'identity',
        'mcp-protocol-version': agreement.protocolVersion,
        ...(sessionId !== undefined && { 'mcp-session-id': sessionId }),
      };
    }
    if (!agreement.modern)
      return requestId === undefined ? this.#headers : { 'x-request-id': requestId, ...this.#headers };
    const name = params.name ?? params.uri;
    return {
      ...(requestId !== undefined && { 'x-request-id': requestId }),
      ...this.#headers,
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': headerText(name) }),
    };
  }

  #withMeta(
    params: Readonly<Record<string, unknown>>,
    id: number,
    options: WireRequestOptions,
  ): Readonly<Record<string, unknown>> {
    const { agreement } = this.#options;
    const given = typeof params._meta === 'object' && params._meta !== null ? params._meta : undefined;
    if (!agreement.modern) {
      if (!options.onProgress) return params;
      return { ...params, _meta: given ? { ...given, progressToken: id } : { progressToken: id } };
    }
    return {
      ...params,
      _meta: {
        ...given,
        ...(options.onProgress && { progressToken: id }),
        [PROTOCOL_VERSION_META_KEY]: agreement.protocolVersion,
        [CLIENT_INFO_META_KEY]: agreement.clientInfo,
        [CLIENT_CAPABILITIES_META_KEY]: options.client?.capabilities ?? {},
        ...(options.client?.logLevel !== undefined && { [LOG_LEVEL_META_KEY]: options.client.logLevel }),
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

  /** What is nested too deep exhausts the stack of whoever walks it: it goes no further than here, and is told. */
  #refuseDeep(message: JSONRPCMessage, length: number | undefined): boolean {
    // A text needs two characters for each level.
    if (length !== undefined && length < 2 * maxDepth) return false;
    if (overLimit(message, { depth: maxDepth }) === undefined) return false;
    const what = `nested deeper than ${maxDepth} levels`;
    const { transport } = this.#options;
    if (Array.isArray(message) || 'method' in message) {
      if ('id' in message) {
        const error = { code: -32600, message: `What is ${what} is not answered.` };
        transport.send({ jsonrpc: '2.0', id: message.id, error }).catch((thrown) => transport.onerror?.(thrown));
      }
      transport.onerror?.(new Error(`The server sent a message that is ${what}.`));
      return true;
    }
    const pending = this.#pending.get(Number(message.id));
    if (pending?.options.cutsDeepAnswer) this.#take(cutBelow(message, maxDepth), undefined, length);
    else if (pending) pending.reject(new LunaError('upstream_error', `The server answered with what is ${what}.`));
    else transport.onerror?.(new Error(`The server sent an answer that is ${what}.`));
    return true;
  }

  /** Takes what is for this wire: answers and progress of its requests, and what its owner deals with. */
  #take(message: JSONRPCMessage, carrier: PendingRequest | undefined, length: number | undefined): boolean {
    if (!('method' in message)) {
      // Some servers make a text of it; the SDKs take that too.
      const id = typeof message.id === 'string' ? Number(message.id) : message.id;
      const pending = this.#pending.get(id);
      if (!pending) return this.#pending.isOurs(id);
      pending.options.answerLength = length;
      const { result, error }: { result?: unknown; error?: unknown } = message;
      // Some servers write both fields, one of them null.
      if ((error === undefined || error === null) && isObject(result ?? {}) && 'result' in message)
        pending.resolve((result ?? {}) as Record<string, unknown>);
      else if ('error' in message) pending.reject(rpcError(error));
      else pending.reject(new LunaError('upstream_error', 'The server answered with no result and no error.'));
      return true;
    }
    if (message.method === 'notifications/progress') {
      const { progressToken, ...progress } = message.params ?? {};
      const pending = this.#pending.get(progressToken);
      if (!pending) return this.#pending.isOurs(progressToken);
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
