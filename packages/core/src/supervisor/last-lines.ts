import { type FileHandle, open } from 'node:fs/promises';
import { systemCodeOf } from '../errors/index.ts';

export interface LastLinesOptions {
  /** The log; former files of it are `<file>.1`, `<file>.2`, … */
  readonly file: string;
  /** So many of the last lines, at most. */
  readonly count: number;
  /** Only lines that this accepts. Default: all. */
  readonly wants?: (line: string) => boolean;
  /** Up to where a file is read. Default: its end. */
  readonly endOf?: (handle: FileHandle) => Promise<number>;
  /** The log, by whoever has looked for it already and goes on with it. Left out: it is opened and closed here. */
  readonly opened?: FileHandle | undefined;
}

/** So much of a log is searched for the last lines, at most, in bytes. */
const maxSearchedBytes = 32 * 1024 * 1024;
const firstLookBytes = 64 * 1024;
/** The line that a file ends with is looked for in so much of it, in bytes. */
const maxLineBytes = 1024 * 1024;

/** The last lines of a log and of its former files, oldest first. None of a log that is not there. */
export async function lastLines(options: LastLinesOptions): Promise<string[]> {
  const { file, count, wants = () => true, endOf = endOfFile } = options;
  const found: string[] = [];
  for (let former = 0; found.length < count; former++) {
    const isOpened = former === 0 && 'opened' in options;
    const handle = isOpened ? options.opened : await openIfThere(former === 0 ? file : `${file}.${former}`);
    // A log that has just been set aside is not there itself.
    if (!handle && former > 0) break;
    if (!handle) continue;
    try {
      found.unshift(...(await lastOf(handle, await endOf(handle), count - found.length, wants)));
    } finally {
      if (!isOpened) await handle.close();
    }
  }
  return found;
}

/** Where the last whole line ends: what is after it is still being written. */
export async function endOfLines(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.min(size, maxLineBytes));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
  const last = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
  return last < 0 ? size : size - buffer.length + last + 1;
}

/** Undefined where there is no such file. */
export async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function endOfFile(handle: FileHandle): Promise<number> {
  return (await handle.stat()).size;
}

/** Looks at more and more of the end of a file, until there are enough lines or there is no more. */
async function lastOf(
  handle: FileHandle,
  end: number,
  count: number,
  wants: (line: string) => boolean,
): Promise<string[]> {
  for (let length = firstLookBytes; ; length *= 4) {
    const start = Math.max(0, end - Math.min(length, maxSearchedBytes));
    const buffer = Buffer.alloc(end - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const text = buffer.toString('utf8', 0, bytesRead);
    const whole = start === 0 ? text : text.slice(text.indexOf('\n') + 1);
    const lines = whole.split('\n');
    if (lines.at(-1) === '') lines.pop();
    const wanted = lines.filter(wants);
    if (wanted.length >= count || start === 0 || length >= maxSearchedBytes) return wanted.slice(-count);
  }
}
