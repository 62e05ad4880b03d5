import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { sourceName } from '../config/index.ts';
import { systemCodeOf } from '../errors/index.ts';

/** The folders, and links, directly below whose names can be a source's, in order of name. None if it is not there. */
export async function foldersIn(parent: string): Promise<string[]> {
  const folders = (await entriesIn(parent)).filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return folders.map((entry) => entry.name).filter((name) => sourceName.safeParse(name).success);
}

/**
 * What lies directly below and has a name that no source can have: folders, or with `endings` files that end so. Those
 * with "." or "_" in front are meant so.
 */
export async function misnamedIn(parent: string, endings?: RegExp): Promise<string[]> {
  const entries = (await entriesIn(parent)).filter((entry) =>
    endings ? !entry.isDirectory() && endings.test(entry.name) : entry.isDirectory() || entry.isSymbolicLink(),
  );
  const isMisnamed = (name: string) =>
    !/^[._]/.test(name) && !sourceName.safeParse(endings ? name.replace(endings, '') : name).success;
  return entries.map((entry) => entry.name).filter(isMisnamed);
}

/** The files, and links, directly below, in order of name. Hidden ones are left out. None if it is not there. */
export async function filesIn(parent: string): Promise<string[]> {
  const files = (await entriesIn(parent)).filter((entry) => entry.isFile() || entry.isSymbolicLink());
  return files.map((entry) => entry.name).filter((name) => !name.startsWith('.'));
}

async function entriesIn(parent: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(parent, { withFileTypes: true });
    return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}
