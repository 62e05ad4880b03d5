import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { LunaError, messageOf, systemCodeOf } from '../errors/index.ts';
import { EntryPaths } from './entry-paths.ts';
import { readTar, type TarOptions } from './tar.ts';
import { readZip } from './zip.ts';

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

/**
 * Unpacks a zip file into a new folder. Throws `invalid_input` for an archive that is broken, lies or attacks,
 * `too_large` for one over the limits, `no_space`, `cancelled`; then the folder is not there.
 */
export function unpackZip(file: string, into: string, options: UnpackOptions = {}): Promise<void> {
  return unpack(into, options, (writer) => readZip(file, writer));
}

/** Unpacks a tar from a stream or a file, by the rules of {@link unpackZip}. */
export function unpackTar(
  from: Readable | string,
  into: string,
  options: UnpackOptions & Partial<TarOptions> = {},
): Promise<void> {
  const stream = typeof from === 'string' ? createReadStream(from) : from;
  const { gzip = false, strip = 0 } = options;
  return unpack(into, options, (writer) => readTar(stream, writer, { gzip, strip }));
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

async function unpack(
  into: string,
  options: UnpackOptions,
  read: (writer: ArchiveWriter) => Promise<void>,
): Promise<void> {
  // Not recursive: a folder that is there already is somebody else's.
  await mkdir(into, { mode: 0o755 });
  try {
    await read(new ArchiveWriter(into, options));
  } catch (thrown) {
    await rm(into, { recursive: true, force: true });
    throw archiveError(thrown, options.signal);
  }
}

function archiveError(thrown: unknown, signal?: AbortSignal): unknown {
  if (thrown instanceof LunaError) return thrown;
  if (signal?.aborted) return new LunaError('cancelled', 'Unpacking was broken off.', { cause: thrown });
  const code = systemCodeOf(thrown);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new LunaError('no_space', 'The disk is full: nothing was unpacked. Free some space and try again.', {
      cause: thrown,
    });
  return new LunaError('invalid_input', `The archive cannot be read: ${messageOf(thrown)}`, { cause: thrown });
}
