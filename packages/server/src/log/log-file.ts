import { messageOf } from '@luna/core/errors';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';

export interface LogFileOptions {
  /** The folder, which is there. */
  readonly folder: string;
  readonly name: string;
  /** A file that has grown so far, in bytes, becomes `<name>.1`. */
  readonly maxBytes: number;
  /** How many former files are kept. */
  readonly formerFiles: number;
}

/** More than this is not kept in memory for a disk that does not keep up, in bytes. */
const maxWaitingBytes = 4 * 1024 * 1024;
/** After a failure the file is not tried again for so long, in milliseconds. */
const pauseMs = 1_000;

/**
 * A file of lines, rotated by size. It never stops the program: what cannot be written is left out, and once it can be
 * written again a line says how many were.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  #stream: RotatingFileStream | undefined;
  #lost = 0;
  #why = '';
  #pausedUntil = 0;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Writes a line, with its end. */
  write(line: string): void {
    const stream = this.#stream ?? this.#open();
    if (!stream || stream.writableLength > maxWaitingBytes) {
      if (stream) this.#why = 'the disk did not keep up';
      this.#lost++;
      return;
    }
    if (this.#lost > 0) {
      const msg = `${this.#lost} lines are missing here: ${this.#why}`;
      this.#lost = 0;
      stream.write(`${JSON.stringify({ level: 40, time: Date.now(), from: 'luna', msg })}\n`);
    }
    stream.write(line);
  }

  /** Settles when all is written that can be. */
  close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#pausedUntil = Number.POSITIVE_INFINITY;
    if (!stream) return Promise.resolve();
    return new Promise((settle) => {
      stream.once('error', () => settle());
      stream.end(() => settle());
    });
  }

  #open(): RotatingFileStream | undefined {
    if (performance.now() < this.#pausedUntil) return undefined;
    const { folder, name, maxBytes, formerFiles } = this.#options;
    const stream = createStream(name, { path: folder, size: `${maxBytes}B`, rotate: formerFiles, mode: 0o600 });
    stream.on('error', (error) => {
      this.#lost++;
      this.#why = messageOf(error);
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#pausedUntil = performance.now() + pauseMs;
    });
    this.#stream = stream;
    return stream;
  }
}
