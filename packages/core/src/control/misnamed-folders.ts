import { join } from 'node:path';
import { misnamedIn, type SourceKind } from '../sources/index.ts';

/** Tells of folders and files that would be sources and have names that no source can have: each once. */
export class MisnamedFolders {
  readonly #onFound: (line: string) => void;
  readonly #told = new Set<string>();

  constructor(onFound: (line: string) => void) {
    this.#onFound = onFound;
  }

  async tell(kinds: readonly SourceKind[]): Promise<void> {
    for (const { folder, fileEndings } of kinds) {
      if (folder === undefined) continue;
      for (const name of await misnamedIn(folder, fileEndings)) {
        const path = join(folder, name);
        if (this.#told.has(path)) continue;
        this.#told.add(path);
        this.#onFound(`${path} is left out for its name: use 1-64 letters, digits, ".", "_" and "-".`);
      }
    }
  }
}
