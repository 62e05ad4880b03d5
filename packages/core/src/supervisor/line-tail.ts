import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/**
 * The last lines of a stream, kept in bounded memory whatever the stream sends: a line longer than the limit is cut.
 */
export class LineTail {
  readonly #maxLines: number;
  readonly #maxLineLength: number;
  readonly #onLine: ((line: string) => void) | undefined;
  #lines: string[] = [];
  #rest = '';

  constructor(
    stream?: Readable,
    options: { maxLines?: number; maxLineLength?: number; onLine?: (line: string) => void } = {},
  ) {
    this.#maxLines = options.maxLines ?? 20;
    this.#maxLineLength = options.maxLineLength ?? 2_000;
    this.#onLine = options.onLine;
    if (stream) this.watch(stream, options.onLine);
  }

  /** Takes in a further stream; lines of several are mixed as they come. */
  watch(stream: Readable, onLine?: (line: string) => void): void {
    const decoder = new StringDecoder('utf8');
    stream.on('data', (chunk: Buffer) => this.#push(decoder.write(chunk), onLine));
  }

  /** The lines, oldest first. */
  lines(): string[] {
    return this.#rest === '' ? [...this.#lines] : [...this.#lines, this.#rest].slice(-this.#maxLines);
  }

  /** A line that did not come by the stream. */
  add(text: string): void {
    this.#take(text, this.#onLine);
    this.#trim();
  }

  #push(text: string, onLine: ((line: string) => void) | undefined): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = (parts.pop() ?? '').slice(0, this.#maxLineLength);
    for (const part of parts) this.#take(part, onLine);
    this.#trim();
  }

  #take(text: string, onLine: ((line: string) => void) | undefined): void {
    const line = text.replace(/\r$/, '').slice(0, this.#maxLineLength);
    onLine?.(line);
    this.#lines.push(line);
  }

  #trim(): void {
    if (this.#lines.length > this.#maxLines) this.#lines = this.#lines.slice(-this.#maxLines);
  }
}
