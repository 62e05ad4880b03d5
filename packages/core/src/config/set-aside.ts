import { lstat, rename } from 'node:fs/promises';
import { systemCodeOf } from '../errors/index.ts';

/**
 * Moves what stands at a path out of the way, and keeps it for a person to look at: as `<file>.broken`, or
 * `<file>.broken-2` and so on where that is taken. Returns the new path.
 */
export async function setAside(file: string): Promise<string> {
  for (let count = 1; ; count++) {
    const aside = count === 1 ? `${file}.broken` : `${file}.broken-${count}`;
    if (await isThere(aside)) continue;
    await rename(file, aside);
    return aside;
  }
}

/** Makes room for a file of Luna's where somebody has put a folder in its place; the folder is kept. */
export async function setFolderAside(file: string): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found?.isDirectory()) await setAside(file);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return false;
    throw thrown;
  }
}
