import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import { writeFileDurably } from './atomic-file.ts';

/**
 * The `.env` file of a home: read with Node's own rules, written atomically with mode 0600, comments and order kept.
 * Changes are applied one after another.
 */
export class EnvFile {
  readonly file: string;
  #queue: Promise<unknown> = Promise.resolve();

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
   * Sets keys (`undefined` removes one). Throws `invalid_input` for a key that is not a legal name and for a value
   * that cannot be written on one line.
   */
  async set(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
    const work = this.#queue.then(async () => {
      const before = await this.#text();
      let text = before;
      for (const [key, value] of Object.entries(changes)) text = withKey(text, key, value);
      if (text !== before) await writeFileDurably(this.file, text, 0o600);
    });
    this.#queue = work.catch(() => undefined);
    return work;
  }

  async #text(): Promise<string> {
    try {
      return await readFile(this.file, 'utf8');
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
  const lines = text.split('\n');
  const belongs = (line: string) => new RegExp(`^\\s*(?:export\\s+)?${key}\\s*=`).test(line);
  const first = lines.findIndex(belongs);
  if (value === undefined) return first < 0 ? text : lines.filter((line) => !belongs(line)).join('\n');
  const entry = `${key}=${quoted(key, value)}`;
  if (first < 0) return text === '' || text.endsWith('\n') ? `${text}${entry}\n` : `${text}\n${entry}\n`;
  // The last of several would win when read; one is left.
  return lines.flatMap((line, index) => (index === first ? [entry] : belongs(line) ? [] : [line])).join('\n');
}

function quoted(key: string, value: string): string {
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
