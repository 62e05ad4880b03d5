import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, parseEnv } from 'node:util';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import { writeFileDurably } from './atomic-file.ts';
import { watchFile } from './file-watch.ts';
import { withoutMark } from './json-text.ts';

/** How long a file that is empty may still be in the middle of being written, in milliseconds. */
const halfWrittenMs = 50;
/** Longer values are no keys, in characters. */
const maxValueLength = 32_768;

/**
 * The `.env` file of a home: read with Node's own rules, written atomically with mode 0600, comments and order kept.
 * Changes are applied one after another. Edits by hand are noticed while it is watched.
 */
export class EnvFile {
  readonly file: string;
  #queue: Promise<unknown> = Promise.resolve();
  #watcher: { close(): Promise<void> } | undefined;
  /** The values that listeners know. */
  #known: Readonly<Record<string, string>> | undefined;
  readonly #listeners = new Set<(keys: ReadonlySet<string>) => void>();

  constructor(file: string) {
    this.file = file;
  }

  /** All keys and values; none when there is no file. */
  async read(): Promise<Record<string, string>> {
    const values: Record<string, string> = {};
    for (const [key, value] of Object.entries(parseEnv(await this.#text())))
      if (value !== undefined) values[key] = value;
    return values;
  }

  /**
   * Sets keys (`undefined` removes one). Throws `invalid_input` for a key that is not a legal name, for a value that
   * cannot be written on one line, and for a file in which the change would touch another key.
   */
  async set(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
    const work = this.#queue.then(async () => {
      const before = await this.#text();
      let text = before;
      for (const [key, value] of Object.entries(changes)) text = withKey(text, key, value);
      if (text === before) return;
      assertReadsAs(text, before, changes);
      await writeFileDurably(this.file, text, 0o600);
      await this.#look();
    });
    this.#queue = work.catch(() => undefined);
    return work;
  }

  /** Calls the listener with the keys whose values changed, while the file is watched; returns how to stop. */
  onChange(listener: (keys: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to watch the file for edits by hand. */
  async watch(): Promise<void> {
    if (this.#watcher) return;
    this.#known = await this.read();
    const look = () => {
      this.#queue = this.#queue.then(() => this.#look()).catch(() => undefined);
    };
    this.#watcher = await watchFile(this.file, look);
  }

  /** Stops watching and waits for changes under way. */
  async close(): Promise<void> {
    await this.#watcher?.close();
    this.#watcher = undefined;
    await this.#queue;
  }

  async #look(): Promise<void> {
    const before = this.#known;
    if (!before) return;
    // Who saves a file in place empties it first.
    if ((await this.#text()) === '') await sleep(halfWrittenMs);
    const now = await this.read();
    this.#known = now;
    const keys = new Set([...Object.keys(before), ...Object.keys(now)].filter((key) => before[key] !== now[key]));
    if (keys.size > 0) for (const listener of this.#listeners) listener(keys);
  }

  async #text(): Promise<string> {
    try {
      return withoutMark(await readFile(this.file, 'utf8'));
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return '';
      throw thrown;
    }
  }
}

function withKey(text: string, key: string, value: string | undefined): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
    throw new LunaError(
      'invalid_input',
      `"${key}" cannot be the name of an environment key: use letters, digits and "_".`,
    );
  }
  const entries = entriesOf(text);
  const belongs = (entry: string) => new RegExp(`^\\s*(?:export\\s+)?${key}\\s*=`).test(entry);
  const first = entries.findIndex(belongs);
  if (value === undefined) return first < 0 ? text : entries.filter((entry) => !belongs(entry)).join('\n');
  const entry = `${key}=${quoted(key, value)}`;
  if (first < 0) return text === '' || text.endsWith('\n') ? `${text}${entry}\n` : `${text}\n${entry}\n`;
  // The last of several would win when read; one is left.
  return entries.flatMap((former, index) => (index === first ? [entry] : belongs(former) ? [] : [former])).join('\n');
}

/** The text cut at its line ends, but not within quotes: a quoted value may go over several lines. */
function entriesOf(text: string): string[] {
  const lines = text.split('\n');
  const entries: string[] = [];
  for (let begin = 0; begin < lines.length; ) {
    const end = endOfEntry(lines, begin);
    entries.push(lines.slice(begin, end).join('\n'));
    begin = end;
  }
  return entries;
}

function endOfEntry(lines: readonly string[], begin: number): number {
  const opening = /^\s*[^\s#=][^=]*=\s*(["'`])(.*)/s.exec(lines[begin] ?? '');
  const [, quote, rest] = opening ?? [];
  if (quote === undefined || rest?.includes(quote)) return begin + 1;
  const closing = lines.findIndex((line, index) => index > begin && line.includes(quote));
  // A quote that is never closed is part of the value.
  return closing < 0 ? begin + 1 : closing + 1;
}

/** Refuses a text that Node would read as anything else than what was meant, whatever stood in the file before. */
function assertReadsAs(text: string, before: string, changes: Readonly<Record<string, string | undefined>>): void {
  const expected = Object.entries({ ...parseEnv(before), ...changes }).filter(([, value]) => value !== undefined);
  if (isDeepStrictEqual({ ...parseEnv(text) }, Object.fromEntries(expected))) return;
  throw new LunaError(
    'invalid_input',
    `Cannot set ${Object.keys(changes).join(', ')}: the .env file has an entry whose quotes are not closed. Repair it and try again.`,
  );
}

function quoted(key: string, value: string): string {
  if (value.length > maxValueLength) {
    throw new LunaError('too_large', `The value of ${key} is longer than ${maxValueLength} characters.`);
  }
  if (/[\r\n\0]/.test(value)) {
    throw new LunaError('invalid_input', `The value of ${key} contains a line break, which an .env file cannot hold.`);
  }
  if (/^[A-Za-z0-9_.:/@+=,%~-]*$/.test(value)) return value;
  // Inside double quotes a backslash sequence would be expanded.
  const quote = ["'", '`', '"'].find((mark) => !value.includes(mark) && !(mark === '"' && value.includes('\\')));
  if (quote === undefined) {
    throw new LunaError(
      'invalid_input',
      `The value of ${key} mixes all kinds of quotes, which an .env file cannot hold.`,
    );
  }
  return `${quote}${value}${quote}`;
}
