import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { redactorOf } from '../config/index.ts';
import { ServiceLog } from '../supervisor/index.ts';

/** So many lines are remembered for errors. */
const keptLines = 20;
/** Lines that come faster than the disk takes them are left out beyond this, in bytes. */
const maxWaitingBytes = 1_048_576;
/** A disk that takes nothing more is not waited for longer than this at the end, in milliseconds. */
const lastWriteMs = 1_000;

/**
 * The log of one service: what its commands and its program print, line by line, with times, and with secrets covered.
 * A program that floods it loses lines, rather than Luna its memory.
 */
export class CoveredLog {
  readonly file: string;
  readonly #log: ServiceLog;
  readonly #lines = new PassThrough();
  readonly #listeners = new Set<(line: string, stamped: string) => void>();
  readonly #secrets = new Set<string>();
  #redact = redactorOf([]);
  #recent: string[] = [];
  #left = 0;

  constructor(file: string) {
    this.file = file;
    this.#log = new ServiceLog({ file });
    this.#log.take(this.#lines);
  }

  /** From now on these texts are covered too. */
  cover(secrets: readonly string[]): void {
    for (const secret of secrets) this.#secrets.add(secret);
    this.#redact = redactorOf(this.#secrets);
  }

  redact(text: string): string {
    return this.#redact(text);
  }

  write(text: string): void {
    const line = this.#redact(text);
    this.#recent = [...this.#recent.slice(1 - keptLines), line];
    const stamped = `${new Date().toISOString()} ${line}`;
    for (const listener of this.#listeners) listener(line, stamped);
    if (this.#lines.writableEnded) return;
    if (this.#lines.writableLength + this.#lines.readableLength > maxWaitingBytes) {
      this.#left++;
      return;
    }
    const note =
      this.#left > 0 ? `… ${this.#left} lines are left out: they came faster than they can be written.\n` : '';
    this.#left = 0;
    this.#lines.write(`${note}${stamped}\n`);
  }

  /** The latest lines since Luna runs, without times, oldest first. */
  recent(): string[] {
    return [...this.#recent];
  }

  /** The last lines of the file, oldest first. */
  async tail(count: number): Promise<string[]> {
    await nextTurn();
    return this.#log.tail(count);
  }

  /** Calls the listener for each line from now on, without and with its time; returns how to stop. */
  follow(listener: (line: string, stamped: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Settles when everything is in the file. What comes later is lost. */
  async close(): Promise<void> {
    this.#listeners.clear();
    if (this.#lines.writableEnded) return;
    const taken = once(this.#lines, 'end');
    this.#lines.end();
    await Promise.race([taken, sleep(lastWriteMs, undefined, { ref: false })]);
    await this.#log.close();
  }
}
