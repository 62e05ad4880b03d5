import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** So many lines are told at once, and then so many in a second: nobody reads more, and each is written somewhere. */
const told = { atOnce: 1_000, perSecond: 100 } as const;

/**
 * The last lines of a stream, kept in bounded memory whatever the stream sends: a line longer than the limit is cut. Who
 * listens is told of lines, and of how many were left out where they come too fast.
 */
export class LineTail {
  readonly #maxLines: number;
  readonly #maxLineLength: number;
  readonly #onLine: ((line: string) => void) | undefined;
  #lines: string[] = [];
  #rest = '';
  #mayTell: number = told.atOnce;
  #leftOut = 0;
  #lastTold = performance.now();

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
    if (onLine) this.#tell(line, onLine);
    this.#lines.push(line);
    if (this.#lines.length >= 2 * this.#maxLines) this.#trim();
  }

  #trim(): void {
    if (this.#lines.length > this.#maxLines) this.#lines = this.#lines.slice(-this.#maxLines);
  }

  #tell(line: string, onLine: (line: string) => void): void {
    if (this.#mayTell < 1) {
      const now = performance.now();
      this.#mayTell += ((now - this.#lastTold) / 1_000) * told.perSecond;
      this.#lastTold = now;
    }
    if (this.#mayTell < 1) {
      this.#leftOut++;
      return;
    }
    this.#mayTell = Math.min(this.#mayTell, told.atOnce) - 1;
    if (this.#mayTell < 1) this.#lastTold = performance.now();
    if (this.#leftOut > 0) onLine(`… ${this.#leftOut} lines were left out: there were too many.`);
    this.#leftOut = 0;
    onLine(line);
  }
}
