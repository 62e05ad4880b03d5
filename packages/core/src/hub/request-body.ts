import type { IncomingMessage } from 'node:http';
import { type RpcError, rpcCodes } from './rpc-error.ts';

/** A body that could not be taken: the HTTP status and the JSON-RPC error that say why. */
export interface RefusedBody {
  readonly status: number;
  readonly error: RpcError;
}

/** Deeper nesting is refused: nothing real needs it, and code that walks the value would exhaust its stack. */
const maxDepth = 256;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a JSON body once, as UTF-8 within a limit in bytes. A body that is announced as too long is refused unread, one
 * that turns out so is refused at the limit.
 */
export async function readJsonBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ value: unknown } | { refused: RefusedBody }> {
  const tooLarge = {
    refused: { status: 413, error: { code: -32000, message: `The body is longer than ${maxBytes} bytes.` } },
  };
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    await discardRest(request);
    return tooLarge;
  }
  const bytes = await readAtMost(request, maxBytes);
  if (!bytes) {
    await discardRest(request);
    return tooLarge;
  }
  return parseJson(bytes);
}

/** By events, not by iterating: this runs for every request, and an iterator of a stream costs several times as much. */
function readAtMost(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((settle, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else {
        request.off('data', take).off('end', end);
        settle(undefined);
      }
    };
    const end = () => settle(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    request.on('data', take).on('end', end).on('error', reject);
  });
}

/** A client that is still writing when the connection closes never reads why: let it finish, within bounds. */
const discardLimit = { bytes: 32 * 1024 * 1024, ms: 2_000 };

function discardRest(request: IncomingMessage): Promise<void> {
  return new Promise((settle) => {
    let discarded = 0;
    const done = () => {
      clearTimeout(timer);
      request.off('data', count);
      settle();
    };
    const count = (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > discardLimit.bytes) done();
    };
    const timer = setTimeout(done, discardLimit.ms);
    request.on('data', count).once('end', done).once('close', done);
  });
}

function parseJson(bytes: Buffer): { value: unknown } | { refused: RefusedBody } {
  let text: string;
  try {
    text = utf8.decode(bytes);
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

function refuse(code: number, message: string): { refused: RefusedBody } {
  return { refused: { status: 400, error: { code, message } } };
}

function isDeeperThan(text: string, limit: number): boolean {
  // A text needs two characters for each level.
  if (text.length < 2 * limit) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (char === 0x22) {
      for (index++; index < text.length && text.charCodeAt(index) !== 0x22; index++) {
        if (text.charCodeAt(index) === 0x5c) index++;
      }
    } else if (char === 0x7b || char === 0x5b) {
      if (++depth > limit) return true;
    } else if (char === 0x7d || char === 0x5d) depth--;
  }
  return false;
}
