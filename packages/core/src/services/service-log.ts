import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { redactorOf } from '../config/index.ts';
import { messageOf, systemCodeOf } from '../errors/index.ts';

/** The file is put aside at this length, in bytes; one former file is kept. */
const rotateAt = 5 * 1_048_576;
/** How much of the end of the file is looked through for lines, in bytes. */
const tailBytes = 1_048_576;
/** Lines are remembered for errors. */
const keptLines = 20;
/** How long lines gather before they are written, in milliseconds. */
const flushAfterMs = 50;
/** Lines that come faster than they can be written are left out beyond this, in characters. */
const longestWait = 1_048_576;

/**
 * The log of one service: what its commands and its program print, with times, and with secrets covered. A
 * program that floods it loses lines rather than Luna its memory.
 */
export class ServiceLog {
  readonly file: string;
  readonly #onError: (message: string) => void;
  readonly #listeners = new Set<(line: string) => void>();
  readonly #secrets = new Set<string>();
  #redact = redactorOf([]);
  #last: string[] = [];
  #file: FileHandle | undefined;
  #length = 0;
  #waiting = '';
  /** How many lines were left out of `#waiting`. */
  #left = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isBroken = false;

  constructor(file: string, onError: (message: string) => void) {
    this.file = file;
    this.#onError = onError;
  }

  /** From now on these texts are covered too. */
  cover(secrets: readonly string[]): void {
    for (const secret of secrets) this.#secrets.add(secret);
    this.#redact = redactorOf(this.#secrets);
  }

  redact(text: string): string {
    return this.#redact(text);
  }

  /** Writes a line. */
  write(text: string): void {
    const line = this.#redact(text);
    this.#last = [...this.#last.slice(1 - keptLines), line];
    this.#append(`${new Date().toISOString()} ${line}\n`);
    for (const listener of this.#listeners) listener(line);
  }

  /** The latest lines since Luna runs, without times, oldest first. */
  recent(): string[] {
    return [...this.#last];
  }

  /** The last lines of the file, oldest first. */
  async tail(count: number): Promise<string[]> {
    await this.#flush();
    try {
      const file = await open(this.file, 'r');
      try {
        const { size } = await file.stat();
        const begin = Math.max(0, size - tailBytes);
        const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - begin), position: begin });
        const lines = buffer
          .toString('utf8', 0, bytesRead)
          .split('\n')
          .slice(begin === 0 ? 0 : 1, -1);
        return lines.slice(-count);
      } finally {
        await file.close();
      }
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return [];
      throw thrown;
    }
  }

  /** Calls the listener for each line from now on; returns how to stop. */
  follow(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Writes what is waiting. */
  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#flush();
    await this.#file?.close();
    this.#file = undefined;
  }

  #append(text: string): void {
    if (this.#waiting.length > longestWait) {
      this.#left++;
      return;
    }
    this.#waiting += text;
    this.#timer ??= setTimeout(() => void this.#flush(), flushAfterMs).unref();
  }

  /** Writes are one after another; while one is under way the next lines gather. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      const note = this.#left > 0 ? `… ${this.#left} lines left out: they came faster than they can be written.\n` : '';
      const text = this.#waiting + note;
      this.#waiting = '';
      this.#left = 0;
      if (text !== '') await this.#write(text);
    });
    return this.#writing;
  }

  async #write(text: string): Promise<void> {
    try {
      this.#file ??= await this.#open();
      await this.#file.write(text);
      this.#length += Buffer.byteLength(text);
      this.#isBroken = false;
      if (this.#length < rotateAt) return;
      await this.#file.close();
      this.#file = undefined;
      await rename(this.file, `${this.file}.1`);
    } catch (thrown) {
      // A full disk must not end the service too. It is told once, until writing works again.
      if (!this.#isBroken) this.#onError(`Cannot write ${this.file}: ${messageOf(thrown)}`);
      this.#isBroken = true;
    }
  }

  async #open(): Promise<FileHandle> {
    await mkdir(dirname(this.file), { recursive: true });
    const file = await open(this.file, 'a', 0o600);
    this.#length = (await file.stat()).size;
    return file;
  }
}
