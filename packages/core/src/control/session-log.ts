import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, systemCodeOf } from '../errors/index.ts';
import type { SessionEvent } from '../sources/index.ts';

export interface SessionLogOptions {
  readonly file: string;
  /** Covers secrets. */
  readonly redact: (text: string) => string;
  /** Told when the log cannot be written; Luna goes on without it. */
  readonly onError: (message: string) => void;
  /** A file that has grown so far, in bytes, becomes `<file>.1`, and the former one of that name goes. Default 5 MB. */
  readonly maxBytes?: number;
}

/** What happened between Luna and MCP servers, a line of JSON each: connected, refused, lost. */
export class SessionLog {
  readonly #options: SessionLogOptions;
  #queue: Promise<void> = Promise.resolve();
  #size: number | undefined;

  constructor(options: SessionLogOptions) {
    this.#options = options;
  }

  write(server: string, event: SessionEvent): void {
    const { redact, onError } = this.#options;
    const line = redact(JSON.stringify({ time: new Date().toISOString(), server, ...event }));
    this.#queue = this.#queue.then(() => this.#append(`${line}\n`)).catch((thrown) => onError(messageOf(thrown)));
  }

  /** Waits until all lines are written. */
  flushed(): Promise<void> {
    return this.#queue;
  }

  async #append(line: string): Promise<void> {
    const { file, maxBytes = 5 * 1024 * 1024 } = this.#options;
    await mkdir(dirname(file), { recursive: true });
    this.#size ??= await sizeOf(file);
    const bytes = Buffer.byteLength(line);
    if (this.#size > 0 && this.#size + bytes > maxBytes) {
      await rename(file, `${file}.1`);
      this.#size = 0;
    }
    await appendFile(file, line, { mode: 0o600 });
    this.#size += bytes;
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return 0;
    throw thrown;
  }
}
