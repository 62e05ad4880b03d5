import { isAscii } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { isDeeperThan } from '../tools/index.ts';
import { type RpcError, rpcCodes } from './rpc-error.ts';

/** A body that could not be taken: the HTTP status and the JSON-RPC error that say why. */
export interface RefusedBody {
  readonly status: number;
  readonly error: RpcError;
}

/** A body as JSON, or why it was not taken. */
export type ReadBody = { readonly value: unknown } | { readonly refused: RefusedBody };

/** Deeper nesting is refused: nothing real needs it, and code that walks the value would exhaust its stack. */
const maxDepth = 256;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a JSON body once, as UTF-8 within a limit in bytes. A body that is announced as too long is refused unread, one
 * that turns out so is refused at the limit.
 */
export function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  return new Promise((settle, reject) => takeJsonBody(request, maxBytes, settle, reject));
}

/** The same without a promise, where bodies are many. */
export function takeJsonBody(
  request: IncomingMessage,
  maxBytes: number,
  settle: (body: ReadBody) => void,
  fail: (error: unknown) => void,
): void {
  const refuseLong = () => void discardRest(request, maxBytes).then(settle);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return refuseLong();
  // By events, not by iterating: this runs for every request, and an iterator costs several times as much.
  let first: Buffer | undefined;
  let others: Buffer[] | undefined;
  let length = 0;
  const take = (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxBytes) {
      request.off('data', take).off('end', end);
      refuseLong();
    } else if (!first) first = chunk;
    else {
      others ??= [first];
      others.push(chunk);
    }
  };
  const end = () => settle(parseJson(others ? Buffer.concat(others) : (first ?? Buffer.alloc(0))));
  request.on('data', take).on('end', end).on('error', fail);
}

/** A client that is still writing when the connection closes never reads why: let it finish, within bounds. */
const discardLimit = { bytes: 32 * 1024 * 1024, ms: 2_000 };

function discardRest(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const error = { code: -32000, message: `The body is longer than ${maxBytes} bytes.` };
  return new Promise((settle) => {
    let discarded = 0;
    const done = () => {
      clearTimeout(timer);
      request.off('data', count);
      settle({ refused: { status: 413, error } });
    };
    const count = (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > discardLimit.bytes) done();
    };
    const timer = setTimeout(done, discardLimit.ms);
    request.on('data', count).once('end', done).once('close', done);
  });
}

function parseJson(bytes: Buffer): ReadBody {
  let text: string;
  try {
    text = isAscii(bytes) ? bytes.toString('latin1') : utf8.decode(bytes);
  } catch {
    return refuse(rpcCodes.parseError, 'The body is not valid UTF-8.');
  }
  if (isDeeperThan(text, maxDepth))
    return refuse(rpcCodes.invalidRequest, `The body is nested deeper than ${maxDepth} levels.`);
  try {
    return { value: JSON.parse(text) };
  } catch {
    return refuse(rpcCodes.parseError, 'Parse error: the body is not valid JSON.');
  }
}

function refuse(code: number, message: string): ReadBody {
  return { refused: { status: 400, error: { code, message } } };
}
