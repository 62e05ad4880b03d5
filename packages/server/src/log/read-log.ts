import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { endOfLines, lastLines, openIfThere } from '@luna/core/supervisor';

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

/** A line that is longer is handed on in pieces, in bytes. */
const maxLineBytes = 1024 * 1024;
/** A system that does not tell of changes is asked so often, in milliseconds. */
const lookMs = 1_000;

/** The last lines of a log, oldest first, and those that come after; each piece is one or more lines with their ends. */
export async function* readLog(reading: LogReading): AsyncGenerator<string> {
  const { file, lines: count, follow = false, signal } = reading;
  const wants = (line: string) => line !== '' && (reading.wants?.(line) ?? true);
  const opened = await openIfThere(file);
  const end = opened ? await endOfLines(opened) : 0;
  try {
    const endOf = async (handle: FileHandle) => (handle === opened ? end : endOfLines(handle));
    const last = await lastLines({ file, count, wants, endOf, opened });
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
        const wanted = lines.filter(wants);
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
