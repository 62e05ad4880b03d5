import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { LunaError } from '../errors/index.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import { refused } from './entry-paths.ts';

interface Admitted {
  readonly entry: Entry;
  readonly parts: readonly string[];
  readonly isFolder: boolean;
}

/** Where an entry lies in the file: its own header and its data. */
interface Place {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

const kindMask = 0o170000;
const plainKinds = new Set([0, 0o100000, 0o040000]);

/** Reads a zip file. All entries are judged before the first one is unpacked. */
export async function readZip(file: string, writer: ArchiveWriter): Promise<void> {
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false, strictFileNames: true });
  try {
    const entries = await judged(zip, writer);
    for (const { entry, parts, isFolder } of entries) {
      if (isFolder) await writer.makeFolder(parts);
      else await writer.writeFile(parts, isExecutable(entry), contentOf(zip, entry));
    }
  } finally {
    zip.close();
  }
}

async function judged(zip: ZipFile, writer: ArchiveWriter): Promise<Admitted[]> {
  const entries: Admitted[] = [];
  const places: Place[] = [];
  let claimed = 0;
  for await (const entry of zip.eachEntry()) {
    const isFolder = entry.fileName.endsWith('/');
    assertPlain(entry, isFolder);
    const parts = writer.admit(entry.fileName, isFolder ? 'folder' : 'file');
    claimed += entry.uncompressedSize;
    writer.assertRoom(claimed);
    places.push(await placeOf(zip, entry));
    entries.push({ entry, parts, isFolder });
  }
  assertApart(places);
  return entries;
}

function assertPlain(entry: Entry, isFolder: boolean): void {
  const { fileName } = entry;
  // The upper half holds what kind of file it is, where the archive was made on Unix; others leave it empty.
  const kind = (entry.externalFileAttributes >>> 16) & kindMask;
  if (!plainKinds.has(kind)) throw refused(fileName, 'it is a link, a device or another special file');
  if (kind === 0o040000 && !isFolder) throw refused(fileName, 'it says of itself both that it is a file and a folder');
  if (kind === 0o100000 && isFolder) throw refused(fileName, 'it says of itself both that it is a file and a folder');
  if (isFolder && entry.uncompressedSize > 0) throw refused(fileName, 'it is a folder with content');
  if (entry.isEncrypted()) throw refused(fileName, 'it is encrypted');
  if (!entry.canDecodeFileData()) throw refused(fileName, 'it is packed in a way that is not read here');
}

/** Two headers describe each entry; readers differ in which one they believe, so they have to agree. */
async function placeOf(zip: ZipFile, entry: Entry): Promise<Place> {
  const local = await zip.readLocalFileHeaderPromise(entry);
  const isDeferred = (local.generalPurposeBitFlag & 8) !== 0;
  const sizesAgree =
    isDeferred ||
    ((local.compressedSize === entry.compressedSize || local.compressedSize === 0xffffffff) &&
      (local.uncompressedSize === entry.uncompressedSize || local.uncompressedSize === 0xffffffff) &&
      local.crc32 === entry.crc32);
  if (!local.fileName.equals(entry.fileNameRaw) || local.compressionMethod !== entry.compressionMethod || !sizesAgree)
    throw refused(entry.fileName, 'its two headers say different things');
  const begin = entry.relativeOffsetOfLocalHeader;
  return { name: entry.fileName, begin, end: local.fileDataStart + entry.compressedSize };
}

/** Entries that share bytes are how a small file becomes an enormous one. */
function assertApart(places: readonly Place[]): void {
  const sorted = [...places].sort((one, other) => one.begin - other.begin);
  for (const [index, place] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next && next.begin < place.end) throw refused(next.name, `it overlaps with "${place.name}"`);
  }
}

/** Opened only when it is read: an error that nobody listens for yet would end the process. */
async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  const content = await zip.openReadStreamPromise(entry);
  content.on('error', () => undefined);
  let sum = 0;
  let bytes = 0;
  for await (const chunk of content) {
    sum = crc32(chunk, sum);
    bytes += chunk.length;
    if (bytes > entry.uncompressedSize) throw refused(entry.fileName, 'it is longer than it says');
    yield chunk;
  }
  if (bytes !== entry.uncompressedSize) throw refused(entry.fileName, 'it is shorter than it says');
  if (sum !== entry.crc32)
    throw new LunaError('invalid_input', `The archive is damaged: the checksum of "${entry.fileName}" is wrong.`);
}

function isExecutable(entry: Entry): boolean {
  return ((entry.externalFileAttributes >>> 16) & 0o100) !== 0;
}
