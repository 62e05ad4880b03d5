import type { IncomingMessage } from 'node:http';
import { LunaError } from '../../errors/index.ts';
import { isDeeperThan } from '../../tools/index.ts';

/** Images come within the body, so it may be long. */
const maxBytes = 32 * 1024 * 1024;
/** Deeper nesting is refused: code that walks the value would exhaust its stack. */
const maxDepth = 256;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A body as bytes and as what it says. */
export interface ReadBody {
  readonly bytes: Buffer;
  readonly value: unknown;
}

/** Reads a JSON body. Throws `too_large`, `invalid_input`, or `cancelled` when the client goes before its end. */
export async function readBody(request: IncomingMessage): Promise<ReadBody> {
  const bytes = await readBytes(request);
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (thrown) {
    throw new LunaError('invalid_input', 'The body is not valid UTF-8.', { cause: thrown });
  }
  if (isDeeperThan(text, maxDepth))
    throw new LunaError('invalid_input', `The body is nested deeper than ${maxDepth} levels.`);
  try {
    return { bytes, value: JSON.parse(text) };
  } catch (thrown) {
    throw new LunaError('invalid_input', 'The body is not valid JSON.', { cause: thrown });
  }
}

/** By events: an iterator of a stream costs several times as much. */
function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((settle, reject) => {
    const tooLarge = () => new LunaError('too_large', `The body is longer than ${maxBytes} bytes.`);
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let length = 0;
    const gone = () => reject(new LunaError('cancelled', 'The client went away.'));
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else {
        request.off('data', take);
        reject(tooLarge());
      }
    };
    request.on('data', take).once('error', gone).once('close', gone);
    request.once('end', () => {
      request.off('error', gone).off('close', gone);
      settle(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
  });
}
