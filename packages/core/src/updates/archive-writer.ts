import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LunaError } from '../errors/index.ts';
import { EntryPaths } from './entry-paths.ts';

/** What an archive may hold, unpacked. */
export interface ArchiveLimits {
  readonly maxBytes: number;
  /** Files and folders. */
  readonly maxEntries: number;
}

export const defaultArchiveLimits: ArchiveLimits = { maxBytes: 256 * 1024 * 1024, maxEntries: 20_000 };

export interface UnpackOptions {
  readonly limits?: ArchiveLimits;
  readonly signal?: AbortSignal | undefined;
}

/** Writes entries below a folder of its own, within the limits. Nothing but plain files and folders is ever made. */
export class ArchiveWriter {
  readonly #root: string;
  readonly #limits: ArchiveLimits;
  readonly #signal: AbortSignal | undefined;
  readonly #paths = new EntryPaths();
  #entries = 0;
  #bytes = 0;

  constructor(root: string, { limits = defaultArchiveLimits, signal }: UnpackOptions) {
    this.#root = root;
    this.#limits = limits;
    this.#signal = signal;
  }

  /** Judges and counts an entry. Throws for one that is not let in. */
  admit(name: string, kind: 'file' | 'folder'): readonly string[] {
    this.#signal?.throwIfAborted();
    if (++this.#entries > this.#limits.maxEntries)
      throw new LunaError('too_large', `The archive has more than ${this.#limits.maxEntries} entries.`);
    return this.#paths.take(name, kind);
  }

  /** Throws where so many more bytes would be too many: before they are unpacked, by what the archive says. */
  assertRoom(bytes: number): void {
    if (this.#bytes + bytes > this.#limits.maxBytes)
      throw new LunaError('too_large', `Unpacked the archive is longer than ${this.#limits.maxBytes} bytes.`);
  }

  async makeFolder(parts: readonly string[]): Promise<void> {
    await mkdir(join(this.#root, ...parts), { recursive: true, mode: 0o755 });
  }

  /** Writes a file that is not there yet, counting what really comes. */
  async writeFile(
    parts: readonly string[],
    isExecutable: boolean,
    content: AsyncIterable<Buffer | string>,
  ): Promise<void> {
    const path = join(this.#root, ...parts);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    const file = await open(path, 'wx', isExecutable ? 0o755 : 0o644);
    try {
      for await (const chunk of content) {
        this.#signal?.throwIfAborted();
        this.assertRoom(chunk.length);
        this.#bytes += chunk.length;
        await file.write(Buffer.from(chunk));
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
