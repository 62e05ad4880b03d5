import { join } from 'node:path';
import type { MasterConfig } from '../../config/index.ts';
import { foldersIn } from '../folder-entries.ts';
import type { SourceKind, UsedKey, WantedSource } from '../kind.ts';
import { LoadingLine } from './loading-line.ts';
import { readManifest, secretsOf } from './manifest.ts';
import { ExtensionSource } from './source.ts';

export interface ExtensionKindOptions {
  /** The folder with a folder for each extension. */
  readonly folder: string;
  /** Where extensions keep data; each gets a folder of its name. */
  readonly dataFolder: string;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  /** Where the services of an extension answer, by their names. */
  readonly servicesOf: (extension: string) => Readonly<Record<string, string>>;
  readonly onLog: (source: string, line: string) => void;
}

/** Extensions: each folder, unless it is switched off. */
export class ExtensionKind implements SourceKind {
  readonly name = 'extension';
  readonly folder: string;
  readonly #options: ExtensionKindOptions;
  readonly #line = new LoadingLine();

  constructor(options: ExtensionKindOptions) {
    this.#options = options;
    this.folder = options.folder;
  }

  async wanted(config: MasterConfig): Promise<WantedSource[]> {
    const names = await foldersIn(this.folder);
    return names
      .filter((name) => config.extensions[name]?.enabled !== false)
      .map((name) => ({
        id: name,
        settings: 'extension',
        entry: name,
        keys: () => this.#keysOf(name),
        make: () => this.#source(name),
      }));
  }

  async #keysOf(name: string): Promise<UsedKey[]> {
    const manifest = await readManifest(join(this.folder, name));
    const isRequired = (key: string) => manifest.required_secrets.includes(key);
    return secretsOf(manifest).map((key) => ({ key, isRequired: isRequired(key) }));
  }

  #source(name: string): ExtensionSource {
    const { folder, dataFolder, owner, secrets, servicesOf, onLog } = this.#options;
    return new ExtensionSource({
      folder: join(folder, name),
      dataDir: join(dataFolder, name),
      owner,
      secrets,
      services: () => servicesOf(name),
      onLog: (line) => onLog(name, line),
      line: this.#line,
    });
  }
}
