import type { IncomingMessage, ServerResponse } from 'node:http';
import { LunaError } from '@luna/core/errors';
import { sendError } from '../http-errors.ts';

/**
 * Refuses a request that could be read in two ways: by the guard of one path and the handler of another, or for one
 * host and another. True when it has been answered.
 */
export function refuseAmbiguous(request: IncomingMessage, response: ServerResponse): boolean {
  const why = ambiguityOf(request);
  if (why === undefined) return false;
  // What such a client sends next is as doubtful.
  response.setHeader('connection', 'close');
  sendError(response, new LunaError('invalid_input', why));
  return true;
}

/** Dots and separators in disguise, empty and relative segments, and what no path holds. */
const odd = /\/\/|\\|%(?:2e|2f|5c|00)|\/\.{1,2}(?:\/|$)/i;

/** What could be read in two ways; undefined for a clear request. */
export function ambiguityOf({ url = '', rawHeaders }: IncomingMessage): string | undefined {
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  if (!path.startsWith('/')) return 'The target of the request must be a path.';
  if (odd.test(path) || (path.includes('%') && !isDecodable(path)))
    return 'The path holds segments or characters that can be read in two ways.';
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1 ? 'The request names more than one host.' : undefined;
}

/** Whether a path can be read at all. */
export function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
