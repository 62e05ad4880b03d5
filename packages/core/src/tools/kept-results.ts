import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LunaError, messageOf } from '../errors/index.ts';

export interface KeptResultsOptions {
  /** The folder for the files. What is in it when the first result is kept is deleted: nobody can ask for it. */
  readonly folder: string;
  /** All results together, in bytes; the oldest make room. Default 512 MiB. */
  readonly maxBytes?: number;
  /** For how long a result is kept, in milliseconds. Default one hour. */
  readonly lifeMs?: number;
}

/** A part of a kept text. Places are bytes of UTF-8, so that a part begins where the one before has ended. */
export interface ResultPart {
  readonly text: string;
  readonly offset: number;
  /** Where the next part begins; undefined at the end. */
  readonly nextOffset: number | undefined;
  readonly totalBytes: number;
}

/** A place where a text was found. */
export interface FoundPlace {
  readonly offset: number;
  /** What stands around it. */
  readonly excerpt: string;
}

/** The tool with which the rest of a result is read. */
export const resultReaderName = 'luna_read_result';

/** Whose a kept result is. */
export function resultOwner(caller: { readonly kind: string; readonly name?: string } | undefined): string {
  return JSON.stringify([caller?.kind, caller?.name]);
}

interface Kept {
  readonly file: string;
  readonly owner: string;
  readonly bytes: number;
  readonly expires: number;
}

const chunkBytes = 1024 * 1024;
const excerptBytes = 160;

/** Results that were too long for whoever called, for as long as they may want the rest. On the disk, not in memory. */
export class KeptResults {
  readonly #options: KeptResultsOptions;
  readonly #kept = new Map<string, Kept>();
  #prepared: Promise<void> | undefined;

  constructor(options: KeptResultsOptions) {
    this.#options = options;
  }

  /** Keeps a text; the handle that comes back opens it for this owner alone. */
  async keep(owner: string, pieces: Iterable<string>): Promise<{ handle: string; bytes: number }> {
    const { folder, maxBytes = 512 * 1024 * 1024, lifeMs = 3_600_000 } = this.#options;
    await this.#prepare();
    const handle = randomBytes(18).toString('base64url');
    const file = join(folder, `${handle}.txt`);
    let bytes = 0;
    try {
      const target = await open(file, 'wx', 0o600);
      try {
        for (const piece of pieces) bytes += (await target.write(piece)).bytesWritten;
      } finally {
        await target.close();
      }
    } catch (thrown) {
      await rm(file, { force: true });
      throw new LunaError('no_space', `The rest of a result could not be kept: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
    this.#kept.set(handle, { file, owner, bytes, expires: Date.now() + lifeMs });
    await this.#makeRoom(maxBytes);
    return { handle, bytes };
  }

  /** A part of a kept result. Throws `not_found` for a handle that is unknown, too old, or somebody else's. */
  async read(owner: string, handle: string, offset: number, length: number): Promise<ResultPart> {
    const { file, bytes } = await this.#find(owner, handle);
    const source = await open(file, 'r');
    try {
      const buffer = Buffer.alloc(Math.min(length, Math.max(0, bytes - offset)));
      const { bytesRead } = await source.read(buffer, 0, buffer.length, offset);
      const begin = offset + bytesToNextCharacter(buffer);
      const end = offset + endOfLastCharacter(buffer.subarray(0, bytesRead), offset + bytesRead >= bytes);
      return {
        text: buffer.subarray(begin - offset, end - offset).toString('utf8'),
        offset: begin,
        nextOffset: end >= bytes ? undefined : end,
        totalBytes: bytes,
      };
    } finally {
      await source.close();
    }
  }

  /** The places where a text stands in a kept result, letters large or small, from an offset on. */
  async search(owner: string, handle: string, text: string, offset: number, maxPlaces: number): Promise<FoundPlace[]> {
    const { file } = await this.#find(owner, handle);
    const wanted = Buffer.from(text.toLowerCase());
    const found: FoundPlace[] = [];
    let carried = Buffer.alloc(0);
    let at = offset;
    for await (const chunk of createReadStream(file, { start: offset, highWaterMark: chunkBytes })) {
      const block = Buffer.concat([carried, chunk]);
      // Only ASCII is folded: the length in bytes, and so each place, stays what it is.
      const folded = Buffer.from(block).map((byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));
      for (let place = Buffer.from(folded).indexOf(wanted); place >= 0; ) {
        found.push({ offset: at + place, excerpt: excerptOf(block, place, wanted.length) });
        if (found.length === maxPlaces) return found;
        place = Buffer.from(folded.buffer, folded.byteOffset, folded.length).indexOf(wanted, place + wanted.length);
      }
      const keep = Math.min(wanted.length - 1, block.length);
      carried = block.subarray(block.length - keep);
      at += block.length - keep;
    }
    return found;
  }

  /** Deletes everything. */
  async close(): Promise<void> {
    this.#kept.clear();
    if (this.#prepared) await rm(this.#options.folder, { recursive: true, force: true });
  }

  #prepare(): Promise<void> {
    this.#prepared ??= (async () => {
      await rm(this.#options.folder, { recursive: true, force: true });
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    })();
    return this.#prepared;
  }

  async #find(owner: string, handle: string): Promise<Kept> {
    const kept = this.#kept.get(handle);
    if (kept?.owner === owner && kept.expires > Date.now()) return kept;
    throw new LunaError('not_found', 'There is no such result, or it was too long ago. Call the tool again.');
  }

  async #makeRoom(maxBytes: number): Promise<void> {
    let total = 0;
    for (const { bytes } of this.#kept.values()) total += bytes;
    for (const [handle, { file, bytes, expires }] of this.#kept) {
      if (total <= maxBytes && expires > Date.now()) continue;
      total -= bytes;
      this.#kept.delete(handle);
      await rm(file, { force: true });
    }
  }
}

/** How many bytes at the beginning belong to a character that began before. */
function bytesToNextCharacter(buffer: Buffer): number {
  let bytes = 0;
  while (bytes < Math.min(3, buffer.length) && ((buffer[bytes] ?? 0) & 0xc0) === 0x80) bytes++;
  return bytes;
}

/** The length without the beginning of a character that goes on behind the end. */
function endOfLastCharacter(buffer: Buffer, isAll: boolean): number {
  if (isAll) return buffer.length;
  for (let back = 1; back <= Math.min(4, buffer.length); back++) {
    const byte = buffer[buffer.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? buffer.length - back : buffer.length;
  }
  return buffer.length;
}

function excerptOf(block: Buffer, place: number, length: number): string {
  const part = block.subarray(Math.max(0, place - excerptBytes), place + length + excerptBytes);
  const begin = bytesToNextCharacter(part);
  return part.subarray(begin, endOfLastCharacter(part, false)).toString('utf8');
}
