import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { systemCodeOf } from '@luna/core/errors';

export interface LogReading {
  /** The log; former files of it are `<file>.1`, `<file>.2`, … */
  readonly file: string;
  /** So many of the last lines, at most. */
  readonly lines: number;
  /** Only lines that this accepts. Default: all. */
  readonly wants?: (line: string) => boolean;
  /** Goes on with lines that are still to come, over rotations, until the signal. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** So much of a log is searched for the last lines, at most, in bytes. */
const maxSearchedBytes = 32 * 1024 * 1024;
const firstLookBytes = 64 * 1024;
/** A line that is longer is handed on in pieces, in bytes. */
const maxLineBytes = 1024 * 1024;
/** A system that does not tell of changes is asked so often, in milliseconds. */
const lookMs = 1_000;

/** The last lines of a log, oldest first, and those that come after; each piece is one or more lines with their ends. */
export async function* readLog(reading: LogReading): AsyncGenerator<string> {
  const { file, lines, wants = () => true, follow = false, signal } = reading;
  const opened = await openIfThere(file);
  const end = opened ? await endOfLines(opened) : 0;
  try {
    const last = await lastLines(file, opened, end, lines, wants);
    if (last.length > 0) yield `${last.join('\n')}\n`;
  } catch (thrown) {
    await opened?.close();
    throw thrown;
  }
  if (!follow) return void (await opened?.close());
  yield* following(file, opened, end, wants, signal ?? new AbortController().signal);
}

/** Accepts lines of one source: of exactly this name, or of a part of it (`hub` for `hub:default`). */
export function linesFrom(source: string): (line: string) => boolean {
  return (line) => {
    // Looked for first, since most lines are of others.
    if (!line.includes('"from"')) return false;
    try {
      const entry: unknown = JSON.parse(line);
      const from = typeof entry === 'object' && entry !== null && 'from' in entry ? String(entry.from) : '';
      return from === source || from.startsWith(`${source}:`);
    } catch {
      return false;
    }
  };
}

async function lastLines(
  file: string,
  opened: FileHandle | undefined,
  end: number,
  count: number,
  wants: (line: string) => boolean,
): Promise<string[]> {
  if (count === 0) return [];
  const found = opened ? await lastOf(opened, end, count, wants) : [];
  for (let former = 1; found.length < count; former++) {
    const older = await openIfThere(`${file}.${former}`);
    if (!older) break;
    try {
      found.unshift(...(await lastOf(older, await endOfLines(older), count - found.length, wants)));
    } finally {
      await older.close();
    }
  }
  return found;
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
    const lines = whole.split('\n').filter((line) => line !== '' && wants(line));
    if (lines.length >= count || start === 0 || length >= maxSearchedBytes) return lines.slice(-count);
  }
}

async function* following(
  file: string,
  opened: FileHandle | undefined,
  end: number,
  wants: (line: string) => boolean,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const changes = new Changes(file, signal);
  const buffer = Buffer.alloc(64 * 1024);
  let handle = opened;
  let position = end;
  let rest = Buffer.alloc(0);
  try {
    while (!signal.aborted) {
      changes.forget();
      const { bytesRead } = handle ? await handle.read(buffer, 0, buffer.length, position) : { bytesRead: 0 };
      if (bytesRead > 0) {
        position += bytesRead;
        const read = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const cut = read.length > maxLineBytes ? read.length : read.lastIndexOf(0x0a) + 1;
        rest = read.subarray(cut);
        const lines = read.toString('utf8', 0, cut).split('\n');
        const wanted = lines.filter((line) => line !== '' && wants(line));
        if (wanted.length > 0) yield `${wanted.join('\n')}\n`;
        continue;
      }
      const isAnother = await differs(file, handle, position);
      if (isAnother) {
        const next = await openIfThere(file);
        await handle?.close();
        handle = next;
        position = 0;
        rest = Buffer.alloc(0);
        if (handle) continue;
      }
      await changes.next();
    }
  } finally {
    changes.close();
    await handle?.close();
  }
}

/** Whether the name now leads to another file, or the file was emptied. */
async function differs(file: string, handle: FileHandle | undefined, position: number): Promise<boolean> {
  const there = await stat(file).catch(() => undefined);
  if (!there) return false;
  if (!handle) return true;
  return there.ino !== (await handle.stat()).ino || there.size < position;
}

/** Tells that something about a file may have changed. */
class Changes {
  readonly #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(file: string, signal: AbortSignal) {
    const told = () => {
      this.#changed = true;
      this.#wake?.();
    };
    this.#timer = setInterval(told, lookMs);
    signal.addEventListener('abort', told, { once: true });
    try {
      const name = basename(file);
      this.#watcher = watch(dirname(file), (_event, changed) => {
        if (changed === null || changed === name) told();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Some systems have no more watchers to give; then the file is looked at from time to time.
    }
  }

  /** Counts only what comes from now on. */
  forget(): void {
    this.#changed = false;
  }

  async next(): Promise<void> {
    if (!this.#changed)
      await new Promise<void>((settle) => {
        this.#wake = settle;
      });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watcher?.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** Where the last whole line ends: what is after it is still being written. */
async function endOfLines(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.min(size, maxLineBytes));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
  const last = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
  return last < 0 ? size : size - buffer.length + last + 1;
}
