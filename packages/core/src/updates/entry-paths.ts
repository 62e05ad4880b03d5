import { LunaError } from '../errors/index.ts';

const maxPathBytes = 1_024;
const maxNameBytes = 255;
const maxDepth = 32;

/**
 * The names of the entries of one archive, judged as they come: no path leads out, no two entries can be the same file,
 * on whatever file system. Nothing here touches the disk.
 */
export class EntryPaths {
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();

  /**
   * The parts of an entry's path. None for the root itself. Throws `invalid_input` for a path that leads out, is not
   * plain, or collides with an earlier one.
   */
  take(name: string, kind: 'file' | 'folder'): readonly string[] {
    const parts = partsOf(name);
    if (parts.length === 0) {
      if (kind === 'file') throw refused(name, 'it has no name');
      return parts;
    }
    for (let depth = 1; depth < parts.length; depth++) this.#takeFolder(parts.slice(0, depth), name);
    if (kind === 'folder') this.#takeFolder(parts, name);
    else this.#takeFile(parts, name);
    return parts;
  }

  #takeFolder(parts: readonly string[], name: string): void {
    const [path, key] = keysOf(parts);
    if (this.#files.has(key)) throw refused(name, 'a file of the archive has the name of its folder');
    const former = this.#folders.get(key);
    if (former !== undefined && former !== path)
      throw refused(name, `"${former}" differs from "${path}" in upper and lower case alone`);
    this.#folders.set(key, path);
  }

  #takeFile(parts: readonly string[], name: string): void {
    const [path, key] = keysOf(parts);
    const former = this.#files.get(key) ?? this.#folders.get(key);
    if (former !== undefined)
      throw refused(name, former === path ? 'it is there twice' : `it collides with "${former}" on some systems`);
    this.#files.set(key, path);
  }
}

/** Why an entry was refused, naming it with whatever is odd in it made visible. */
export function refused(name: string, why: string): LunaError {
  return new LunaError(
    'invalid_input',
    `The archive is refused because of its entry ${JSON.stringify(name.slice(0, 200))}: ${why}.`,
  );
}

function partsOf(name: string): string[] {
  if (Buffer.byteLength(name) > maxPathBytes) throw refused(name, `its path is longer than ${maxPathBytes} bytes`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f\ufffd]/.test(name)) throw refused(name, 'its name has characters that no name needs');
  if (name.includes('\\')) throw refused(name, 'its name has a backslash');
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) throw refused(name, 'its path is absolute');
  const trimmed = name.replace(/\/$/, '');
  const parts = trimmed === '' || trimmed === '.' ? [] : trimmed.replace(/^\.\//, '').split('/');
  if (parts.length > maxDepth) throw refused(name, `it lies deeper than ${maxDepth} folders`);
  for (const part of parts) {
    if (part === '..' || part === '.' || part === '') throw refused(name, 'its path is not plain');
    if (Buffer.byteLength(part) > maxNameBytes)
      throw refused(name, `a name in it is longer than ${maxNameBytes} bytes`);
    if (part.toLowerCase() === '.git') throw refused(name, 'it belongs to the inside of a git repository');
  }
  return parts;
}

/** The path, and what is the same for all paths that some file system takes for one. */
function keysOf(parts: readonly string[]): [path: string, key: string] {
  const path = parts.join('/');
  return [path, path.normalize('NFKC').toLowerCase().normalize('NFKC')];
}
