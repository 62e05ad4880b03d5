import type { CallRecord } from '@luna/core/tools';
import pino, { type Logger } from 'pino';
import { type LogLevel, logName } from './levels.ts';
import { LogFile } from './log-file.ts';

export interface LogOptions {
  /** The folder of the logs, which is there. */
  readonly folder: string;
  readonly level: LogLevel;
  /** See `LogFileOptions`. */
  readonly maxBytes: number;
  readonly formerFiles: number;
}

/** The log of a Luna: a line of JSON for each entry, secrets covered, in a file that is rotated. */
export class Log {
  readonly entries: Logger;
  readonly #file: LogFile;
  #redact: (text: string) => string = (text) => text;

  constructor({ folder, level, maxBytes, formerFiles }: LogOptions) {
    this.#file = new LogFile({ folder, name: logName, maxBytes, formerFiles });
    this.entries = pino(
      { base: undefined, level, hooks: { streamWrite: (line) => this.#redact(line) } },
      { write: (line: string) => this.#file.write(line) },
    );
  }

  /** Covers secrets in every line from now on. */
  redactBy(redact: (text: string) => string): void {
    this.#redact = redact;
  }

  /** A call of a tool that ended. Arguments and results are nobody's business here. */
  call({ id, caller, tool, source, requestId, durationMs, outcome, errorCode, errorMessage }: CallRecord): void {
    const level = outcome === 'ok' ? 'debug' : outcome === 'tool_error' ? 'info' : 'warn';
    if (!this.entries.isLevelEnabled(level)) return;
    const fields = { from: 'calls', requestId, call: id, caller, tool, source, durationMs, outcome };
    this.entries[level]({ ...fields, errorCode, error: errorMessage }, `${tool}: ${errorCode ?? outcome}`);
  }

  /** Writes what is still to be written, and ends. */
  close(): Promise<void> {
    return this.#file.close();
  }
}
