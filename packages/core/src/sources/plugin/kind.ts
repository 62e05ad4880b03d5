import { join } from 'node:path';
import type { MasterConfig } from '../../config/index.ts';
import { foldersIn } from '../folder-entries.ts';
import { requiredKeys, type SourceKind, type WantedSource } from '../kind.ts';
import { readSettings } from './program.ts';
import { PluginSource } from './source.ts';

/** How many plugins are discovered at a time. */
const atOnce = 4;

export interface PluginKindOptions {
  /** The folder with a folder, or a link to one, for each plugin. */
  readonly folder: string;
  /** Where what plugins say of themselves is kept. */
  readonly cacheFolder: string;
  readonly owner: string;
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly onLog: (source: string, line: string) => void;
}

/** Command-line plugins: each folder, with a program named `cli`. */
export class PluginKind implements SourceKind {
  readonly name = 'plugin';
  readonly folder: string;
  readonly #options: PluginKindOptions;
  readonly #waiting: (() => void)[] = [];
  #free = atOnce;

  constructor(options: PluginKindOptions) {
    this.#options = options;
    this.folder = options.folder;
  }

  async wanted(_config: MasterConfig): Promise<WantedSource[]> {
    const names = await foldersIn(this.folder);
    return names.map((name) => ({
      id: name,
      settings: 'plugin',
      entry: name,
      keys: async () => {
        const { secrets, optional_secrets } = await readSettings(join(this.folder, name));
        return [...requiredKeys(secrets), ...optional_secrets.map((key) => ({ key, isRequired: false }))];
      },
      make: () => this.#source(name),
    }));
  }

  #source(name: string): PluginSource {
    const { secrets, owner, onLog, cacheFolder } = this.#options;
    return new PluginSource({
      folder: join(this.folder, name),
      cacheFile: join(cacheFolder, `${name}.json`),
      secrets,
      owner,
      inLine: (work) => this.#inLine(work),
      onLog: (line) => onLog(name, line),
    });
  }

  async #inLine<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((settle) => this.#waiting.push(settle));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
