import type { IncomingMessage, ServerResponse } from 'node:http';
import { CountedIds } from '@luna/core/tools';

/** Both what a client may send and what it is answered. */
export const requestIdHeader = 'x-request-id';

/** Short, and nothing that means anything in a log, a header or a page. */
const sane = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const ids = new CountedIds();

/**
 * Gives a request its id: the one that it brought, if that is a short plain token, or a new one. From here on the
 * request carries it, whatever it came with.
 */
export function identifyRequest(request: IncomingMessage): string {
  const brought = request.headers[requestIdHeader];
  const id = typeof brought === 'string' && sane.test(brought) ? brought : ids.next();
  request.headers[requestIdHeader] = id;
  return id;
}

/** Tells the client the id of its request. Hubs do it by themselves, which is cheaper. */
export function tellRequestId(response: ServerResponse): void {
  const id = requestIdOf(response.req);
  if (id !== undefined) response.setHeader(requestIdHeader, id);
}

/** The id that {@link identifyRequest} gave a request. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const id = headers[requestIdHeader];
  return typeof id === 'string' ? id : undefined;
}
