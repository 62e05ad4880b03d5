import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MasterConfig, sourceName } from '../../config/index.ts';
import type { EgressPolicy } from '../egress/index.ts';
import { filesIn } from '../folder-entries.ts';
import { referredKeys, type SourceKind, type WantedSource } from '../kind.ts';
import { HttpSource } from './source.ts';

export interface HttpKindOptions {
  /** The folder with a file for each service. */
  readonly folder: string;
  readonly egress: () => EgressPolicy;
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly onLog: (source: string, line: string) => void;
}

/** Services over HTTP: each `.yaml`, `.yml` or `.json` file is one, named as the file is. */
export class HttpKind implements SourceKind {
  readonly name = 'http';
  readonly folder: string;
  readonly fileEndings = /\.(?:ya?ml|json)$/;
  readonly #options: HttpKindOptions;

  constructor(options: HttpKindOptions) {
    this.#options = options;
    this.folder = options.folder;
  }

  async wanted(_config: MasterConfig): Promise<WantedSource[]> {
    const { egress, secrets, onLog } = this.#options;
    return (await filesIn(this.folder)).flatMap((file) => {
      const id = file.replace(this.fileEndings, '');
      // `petstore.openapi.yaml` is a document that lies beside the file which names it.
      if (id === file || id.endsWith('.openapi') || !sourceName.safeParse(id).success) return [];
      const make = () =>
        new HttpSource({ id, file: join(this.folder, file), egress, secrets, onLog: (line) => onLog(id, line) });
      const keys = async () => referredKeys(await readFile(join(this.folder, file), 'utf8'));
      return [{ id, settings: file, entry: file, keys, make }];
    });
  }
}
