import { readdir } from 'node:fs/promises';
import { delimiter, resolve, sep } from 'node:path';

/** Thrown when the folder cannot take a home; nothing was written. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
}

/**
 * The full path of a folder that can take a home. Throws `FolderError` when its name would not work, or when something
 * is there already.
 */
export async function freeFolder(given: string): Promise<string> {
  const folder = resolve(given);
  const wrong =
    given.trim() === '' ? 'The name of the folder is empty. Give one, for example my-luna.' : flawOf(folder);
  if (wrong) throw new FolderError(wrong);
  const names = await readdir(folder).catch((thrown: unknown) => {
    if (codeOf(thrown) === 'ENOENT') return [];
    throw toFolderError(thrown, folder);
  });
  if (names.length > 0)
    throw new FolderError(`${folder} is not empty. Name an empty folder, or one that is not there yet.`);
  return folder;
}

/** A `FolderError` for what the system refuses, such as a folder that one may not write to. */
export function toFolderError(thrown: unknown, folder: string): unknown {
  switch (codeOf(thrown)) {
    case 'ENOTDIR':
    case 'EEXIST':
      return new FolderError(`${folder} is a file, or lies below one. Name a folder.`, { cause: thrown });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new FolderError(`${folder} may not be written to. Name a folder of your own.`, { cause: thrown });
    case 'ENAMETOOLONG':
      return new FolderError(`${folder} is too long a name. Name a shorter one.`, { cause: thrown });
    case 'ENOSPC':
      return new FolderError(`There is no space left for ${folder}.`, { cause: thrown });
    default:
      return thrown;
  }
}

/** Why no home works in a folder of this path. */
function flawOf(folder: string): string | undefined {
  const path = JSON.stringify(folder);
  if (folder.split(sep).includes('node_modules'))
    return `${path} lies in node_modules, where Node loads no TypeScript tools. Name another folder.`;
  // npm puts the folder's programs into PATH, which such a character would break apart.
  if (folder.includes(delimiter))
    return `${path} holds a "${delimiter}", with which npm finds no programs. Leave it out.`;
  if (/\p{Cc}/u.test(folder)) return `${path} holds a control character. Leave it out.`;
  return undefined;
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
}
