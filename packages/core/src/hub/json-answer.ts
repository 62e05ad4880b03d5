import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RpcError, toRpcError } from './rpc-error.ts';

/** Carries the id of a request. What a client sends there counts only if the guard in front has looked at it. */
export const requestIdHeader = 'x-request-id';

/** Answers with one JSON body. Without effect when the client has gone. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: string,
  headers?: Readonly<Record<string, string>>,
): void {
  if (response.destroyed || response.headersSent) return;
  const length = Buffer.byteLength(body);
  const id = requestIdOf(response.req);
  const own =
    id === undefined
      ? { 'content-type': 'application/json', 'content-length': length }
      : { 'content-type': 'application/json', 'content-length': length, [requestIdHeader]: id };
  response.writeHead(status, headers ? { ...own, ...headers } : own);
  // As many bytes as characters: all of it is ASCII, which is written faster without looking for more.
  response.end(body, length === body.length ? 'latin1' : 'utf8');
}

/** Answers with nothing but a status. */
export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, requestIdHeaders(response)).end();
}

/** The headers that tell a client the id of its request. */
export function requestIdHeaders({ req }: ServerResponse): Record<string, string> {
  const id = requestIdOf(req);
  return id === undefined ? {} : { [requestIdHeader]: id };
}

/** Refuses a request before it is known whose it is. */
export function refuse(
  response: ServerResponse,
  status: number,
  error: RpcError,
  id: string | number | null = null,
): void {
  // The rest of a body that was not read would be taken for the next request.
  if (status === 413 || status === 415) response.setHeader('connection', 'close');
  sendJson(response, status, JSON.stringify({ jsonrpc: '2.0', error, id }));
}

/** Why a message is refused that was understood. */
export interface Refusal {
  readonly status: number;
  readonly error: RpcError;
  readonly headers?: Readonly<Record<string, string>>;
}

export function refuseWith(response: ServerResponse, { status, error, headers }: Refusal, body: unknown): void {
  sendJson(response, status, JSON.stringify({ jsonrpc: '2.0', error, id: idOf(body) }), headers);
}

/** A JSON-RPC answer around a result that is JSON text. */
export function resultMessage(id: string | number, result: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
}

export function errorMessage(id: string | number, thrown: unknown, redact?: (text: string) => string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: toRpcError(thrown, redact) });
}

/** The id of a message, for the answer to one that is refused. */
export function idOf(body: unknown): string | number | null {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : null;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

/** Makes what a face was given as the id of the request its only id: all that answers finds it there. */
export function takeRequestId({ headers }: Pick<IncomingMessage, 'headers'>, requestId: string | undefined): void {
  if (requestId !== undefined) headers[requestIdHeader] = requestId;
  else if (headers[requestIdHeader] !== undefined) delete headers[requestIdHeader];
}

/** What {@link takeRequestId} was given. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const id = headers[requestIdHeader];
  return typeof id === 'string' ? id : undefined;
}

export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
