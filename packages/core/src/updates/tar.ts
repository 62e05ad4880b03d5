import { once } from 'node:events';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { LunaError } from '../errors/index.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import { refused } from './entry-paths.ts';

const fileTypes = new Set(['File', 'OldFile', 'ContiguousFile']);
/** Headers and padding that an entry may have beside its content, in bytes. */
const overheadPerEntry = 72 * 1024;
const blockBytes = 512;

export interface TarOptions {
  readonly gzip: boolean;
  /** Folders at the beginning of each path that are left out. */
  readonly strip: number;
}

/** Reads a tar entry by entry. What is wrong with it is found on the way: whoever unpacks removes what was written. */
export async function readTar(stream: Readable, writer: ArchiveWriter, { gzip, strip }: TarOptions): Promise<void> {
  const parser = new Parser({ strict: true, maxMetaEntrySize: 64 * 1024 });
  const progress = { entries: 0, contentBytes: 0 };
  const failure = new AbortController();
  const failed = once(failure.signal, 'abort');
  const fail = (thrown: unknown) => failure.abort(thrown);
  let taken: Promise<void> = Promise.resolve();
  parser.on('entry', (entry: ReadEntry) => {
    progress.entries++;
    taken = taken.then(() => (failure.signal.aborted ? undefined : takeEntry(entry).catch(fail)));
  });
  parser.on('error', fail);
  const ended = once(parser, 'end');
  // A failed parser never ends; nobody then waits for it.
  ended.catch(() => undefined);

  try {
    let seen = 0;
    for await (const chunk of asTar(gzip ? unzipped(stream) : stream)) {
      seen += chunk.length;
      // What is no content of an entry could go on for ever as well.
      writer.assertRoom(Math.max(0, seen - progress.contentBytes - overheadPerEntry * (progress.entries + 1)));
      if (!parser.write(chunk)) await Promise.race([once(parser, 'drain'), failed]);
      failure.signal.throwIfAborted();
    }
    parser.end();
    await Promise.race([ended, failed]);
    await Promise.race([taken, failed]);
    failure.signal.throwIfAborted();
  } finally {
    stream.destroy();
  }
  if (progress.entries === 0) throw new LunaError('invalid_input', 'The archive has no entries.');

  async function takeEntry(entry: ReadEntry): Promise<void> {
    const isFolder = entry.type === 'Directory';
    if (!isFolder && !fileTypes.has(entry.type))
      throw refused(entry.path, 'it is a link, a device or another special file');
    const parts = writer.admit(entry.path, isFolder ? 'folder' : 'file').slice(strip);
    if (isFolder) {
      await writer.makeFolder(parts);
      entry.resume();
      return;
    }
    if (parts.length === 0) throw refused(entry.path, 'it lies outside of the folder of the archive');
    writer.assertRoom(entry.size);
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of entry) {
        bytes += chunk.length;
        progress.contentBytes += chunk.length;
        yield chunk;
      }
    };
    await writer.writeFile(parts, ((entry.mode ?? 0) & 0o100) !== 0, counted());
    if (bytes !== entry.size) throw refused(entry.path, 'it is shorter than it says');
  }
}

function unzipped(stream: Readable): Readable {
  // What goes wrong shows where the result is read.
  return pipeline(stream, createGunzip(), () => undefined);
}

/** The parser would unpack what is packed twice, and nobody would count it. */
async function* asTar(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begin = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (begin.length >= blockBytes) yield chunk;
    else {
      begin = Buffer.concat([begin, chunk]);
      if (begin.length < blockBytes) continue;
      assertNotPacked(begin);
      yield begin;
    }
  }
  if (begin.length < blockBytes) throw new LunaError('invalid_input', 'The archive is no tar: it is too short.');
}

function assertNotPacked(begin: Buffer): void {
  const packed = ['1f8b', '28b52ffd'].some((magic) => begin.toString('hex', 0, magic.length / 2) === magic);
  if (packed) throw new LunaError('invalid_input', 'The archive is packed in a way that is not read here.');
}
