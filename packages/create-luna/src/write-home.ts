import { cp, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Template } from './arguments.ts';
import { freeFolder, toFolderError } from './home-folder.ts';
import { homePackage, type Versions } from './home-package.ts';

export interface HomeOptions {
  readonly folder: string;
  readonly template: Template;
  readonly versions: Versions;
  /** What to take instead of the usual version, by the name of the package. */
  readonly packages: Readonly<Record<string, string>>;
}

/** npm leaves out files of these names when it packs, so the templates hold them under others. */
const renamed = { _gitignore: '.gitignore', '_env.example': '.env.example' };

/**
 * Writes a home and returns its full path. Throws `FolderError` when the folder cannot take one: before anything is
 * written where that can be known.
 */
export async function writeHome(options: HomeOptions): Promise<string> {
  const folder = await freeFolder(options.folder);
  try {
    await writeFiles(folder, options);
  } catch (thrown) {
    throw toFolderError(thrown, folder);
  }
  return folder;
}

async function writeFiles(folder: string, { template, versions, packages }: HomeOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyTemplate('base', folder);
  if (template === 'full') await copyTemplate('full', folder);
  for (const [from, to] of Object.entries(renamed)) await rename(join(folder, from), join(folder, to));
  const content = homePackage(folder, template, versions, packages);
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

function copyTemplate(name: string, folder: string): Promise<void> {
  return cp(fileURLToPath(new URL(`../template/${name}`, import.meta.url)), folder, { recursive: true });
}
