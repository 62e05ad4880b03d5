import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError, systemCodeOf, toLunaError } from '../errors/index.ts';
import { writeFileDurably } from './atomic-file.ts';
import { watchFile } from './file-watch.ts';
import { editJsonText, jsonValueOf, parseJsonText } from './json-text.ts';
import { migrateFile } from './migrate.ts';
import { type MasterConfig, masterConfigSchema } from './schema.ts';

export interface ConfigStoreOptions {
  /** The path of master_config.json. */
  readonly file: string;
  /** The text of the file when there is none yet. */
  readonly initialText?: string;
}

/** How long a file that cannot be read may still be in the middle of being written, in milliseconds. */
const halfWrittenMs = 50;

/** What is in force, and what is wrong with the file if it is not what is in force. */
export interface ConfigState {
  readonly config: MasterConfig;
  /** Changes with the content of the file. */
  readonly etag: string;
  /** Why the file as it is now is not in force; the last good content goes on. */
  readonly error?: LunaError;
}

/**
 * master_config.json: read, watched, and written atomically. A person may edit the file at any time; a change made
 * here keeps their comments, their order and the keys that Luna does not know. While the file is broken the last good
 * content stays in force and nothing is written over the person's text.
 */
export class ConfigStore {
  readonly file: string;
  /** What was done to the file when it was opened: `migrated` brought it to the form of today. */
  readonly opened: 'read' | 'created' | 'migrated';
  #text: string;
  #state: ConfigState;
  #watcher: { close(): Promise<void> } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<(state: ConfigState) => void>();

  /** Reads the file, or creates it. Throws `config_invalid` with file, line and column when it cannot be read. */
  static async open(options: ConfigStoreOptions): Promise<ConfigStore> {
    const present = await readIfThere(options.file);
    const text = present ?? options.initialText ?? '{}\n';
    if (present === undefined) {
      parseJsonText(text, masterConfigSchema, options.file);
      await writeFileDurably(options.file, text);
    }
    const migrated = await migrateFile(options.file, text);
    const opened = present === undefined ? 'created' : migrated === text ? 'read' : 'migrated';
    return new ConfigStore(options.file, migrated, opened);
  }

  private constructor(file: string, text: string, opened: ConfigStore['opened']) {
    this.file = file;
    this.opened = opened;
    this.#text = text;
    this.#state = { config: parseJsonText(text, masterConfigSchema, file), etag: etagOf(text) };
  }

  get config(): MasterConfig {
    return this.#state.config;
  }

  get state(): ConfigState {
    return this.#state;
  }

  /** The text of the file that is in force. */
  get text(): string {
    return this.#text;
  }

  /** The file's own content without defaults, comments and formatting. */
  document(): unknown {
    return jsonValueOf(this.#text);
  }

  /** Calls the listener after each change of content or validity; returns how to stop. */
  onChange(listener: (state: ConfigState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Changes the configuration: `change` edits a copy of what is in force. When this returns, the file is on the disk.
   * Changes are applied one after another, over edits by hand that were saved meanwhile. Throws `config_invalid` when
   * the outcome does not fit the schema or the file is broken, `stale` when `ifMatch` is not the present etag,
   * `no_space` when the disk is full; then nothing has changed.
   */
  async update(change: (draft: MasterConfig) => void, options: { ifMatch?: string } = {}): Promise<MasterConfig> {
    return this.#write(options, (text, config) => {
      const draft = structuredClone(config);
      change(draft);
      return editJsonText(text, config, draft);
    });
  }

  /**
   * Replaces the whole text of the file: `make` gets the present one. Throws as {@link update} does, naming `from` as
   * the file in which the new text does not fit.
   */
  async replaceText(
    make: (text: string) => string,
    options: { ifMatch?: string; from?: string } = {},
  ): Promise<MasterConfig> {
    return this.#write(options, make);
  }

  #write(
    { ifMatch, from = this.file }: { ifMatch?: string | undefined; from?: string },
    make: (text: string, config: MasterConfig) => string,
  ): Promise<MasterConfig> {
    return this.#enqueue(async () => {
      await this.#reload();
      const { config, etag, error } = this.#state;
      if (error)
        throw new LunaError('config_invalid', `Repair the file first: ${error.message}`, {
          cause: error,
          details: error.details,
        });
      if (ifMatch !== undefined && ifMatch !== etag) {
        throw new LunaError(
          'stale',
          'The configuration was changed by someone else meanwhile. Load it again and repeat your change.',
          { details: { etag } },
        );
      }
      const text = make(this.#text, config);
      if (text === this.#text) return config;
      parseJsonText(text, masterConfigSchema, from);
      await writeFileDurably(this.file, text);
      this.#take(text);
      return this.#state.config;
    });
  }

  /** Begins to watch the file for edits by hand. */
  async watch(): Promise<void> {
    if (this.#watcher) return;
    this.#watcher = await watchFile(this.file, () => void this.#enqueue(() => this.#reload()));
  }

  /** Stops watching and waits for changes under way. */
  async close(): Promise<void> {
    await this.#watcher?.close();
    this.#watcher = undefined;
    await this.#queue;
  }

  async #reload(): Promise<void> {
    let text = await readIfThere(this.file);
    if (text !== undefined && text !== this.#text && !this.#isLegal(text)) {
      // Perhaps it is only half written: who saves a file in place empties it first.
      await sleep(halfWrittenMs);
      text = await readIfThere(this.file);
    }
    // A missing file is an editor between two steps; the next event brings the new one.
    if (text === undefined || text === this.#text) {
      if (text !== undefined && this.#state.error) this.#take(text);
      return;
    }
    this.#take(text);
  }

  #isLegal(text: string): boolean {
    try {
      parseJsonText(text, masterConfigSchema, this.file);
      return true;
    } catch {
      return false;
    }
  }

  #take(text: string): void {
    try {
      const config = parseJsonText(text, masterConfigSchema, this.file);
      this.#text = text;
      this.#state = { config, etag: etagOf(text) };
    } catch (thrown) {
      const error = toLunaError(thrown, 'config_invalid');
      if (this.#state.error?.message === error.message) return;
      this.#state = { ...this.#state, error };
    }
    for (const listener of this.#listeners) listener(this.#state);
  }

  #enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`;
}
