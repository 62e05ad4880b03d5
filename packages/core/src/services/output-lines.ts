import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A longer line is cut, in characters. */
const longestLine = 4_000;

/**
 * Hands on what a stream sends, line by line, the last one too if it has no end. Bounded memory, whatever comes. Settles
 * when the stream has ended.
 */
export function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) onLine(line.replace(/\r$/, '').slice(0, longestLine));
  };
  return new Promise((settle) => {
    const end = () => {
      if (rest !== '') onLine(rest);
      rest = '';
      settle();
    };
    stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
    // Whoever closed the other end too early has said all that it will say.
    stream.once('close', end).once('error', () => undefined);
  });
}
