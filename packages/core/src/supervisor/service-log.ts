import { mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { lastLines } from './last-lines.ts';

export interface ServiceLogOptions {
  readonly file: string;
  /** A file of this size is set aside as `<file>.1`, and so on. Default: 10 MB. */
  readonly maxBytes?: number;
  /** How many of those are kept. Default: 5. */
  readonly keep?: number;
}

const defaults = { maxBytes: 10 * 1024 * 1024, keep: 5 };
/** After the disk refused a line, lines are dropped for so long before it is asked again, in milliseconds. */
const pauseAfterErrorMs = 1_000;

/**
 * What a program prints, in a file that is set aside when it has grown. A disk that takes nothing more costs lines, and
 * never holds the program up.
 */
export class ServiceLog {
  readonly #options: Required<ServiceLogOptions>;
  readonly #followers = new Set<(text: string) => void>();
  /** Streams that wait for the disk. */
  readonly #held = new Set<Readable>();
  #stream: RotatingFileStream | undefined;
  #brokenUntil = 0;

  constructor(options: ServiceLogOptions) {
    this.#options = { ...defaults, ...options };
  }

  /** Takes everything that a stream gives, no faster than the disk does. */
  take(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => {
      if (this.#write(chunk)) return;
      stream.pause();
      this.#held.add(stream);
    });
  }

  /** Writes a line of Luna's own. */
  note(line: string): void {
    this.#write(Buffer.from(`[luna ${new Date().toISOString()}] ${line}\n`));
  }

  /** The last lines, oldest first. */
  async tail(count: number): Promise<string[]> {
    await this.#flushed();
    const { file } = this.#options;
    return lastLines({ file, count });
  }

  /** Calls the listener with what comes from now on; returns how to stop. */
  follow(listener: (text: string) => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  async close(): Promise<void> {
    this.#followers.clear();
    const stream = this.#stream;
    this.#stream = undefined;
    this.#letGo();
    if (!stream) return;
    await new Promise<void>((settle) => {
      stream.once('close', settle);
      stream.end();
    });
  }

  /** False when the disk is behind. */
  #write(chunk: Buffer): boolean {
    for (const follower of this.#followers) follower(chunk.toString('utf8'));
    if (performance.now() < this.#brokenUntil) return true;
    this.#stream ??= this.#open();
    return this.#stream.write(chunk);
  }

  #open(): RotatingFileStream {
    const { file, maxBytes, keep } = this.#options;
    mkdirSync(dirname(file), { recursive: true });
    const stream = createStream(
      (index: number | Date | null) => (index ? `${basename(file)}.${index}` : basename(file)),
      {
        path: dirname(file),
        size: `${maxBytes}B`,
        rotate: keep,
        mode: 0o600,
      },
    );
    stream.on('drain', () => this.#letGo());
    stream.on('error', () => {
      this.#letGo();
      if (this.#stream !== stream) return;
      this.#brokenUntil = performance.now() + pauseAfterErrorMs;
      this.#stream = undefined;
    });
    // That a former file could not be moved is no reason to stop.
    stream.on('warning', () => undefined);
    return stream;
  }

  #letGo(): void {
    for (const stream of this.#held) stream.resume();
    this.#held.clear();
  }

  #flushed(): Promise<void> {
    const stream = this.#stream;
    if (!stream || stream.writableLength === 0) return Promise.resolve();
    return new Promise((settle) => {
      stream.write('', () => settle());
      stream.once('error', () => settle());
    });
  }
}
