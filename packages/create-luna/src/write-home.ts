import { cp, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Template } from './arguments.ts';

export interface HomeOptions {
  readonly folder: string;
  readonly template: Template;
  /** The version of Luna that the home takes. */
  readonly version: string;
  readonly packages: Readonly<Record<string, string>>;
}

/** Thrown when the folder cannot take a home; nothing was written. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
}

/** npm leaves out files of these names when it packs, so the templates hold them under others. */
const renamed = { _gitignore: '.gitignore', '_env.example': '.env.example' };

/** Writes a home. Throws `FolderError` when something is there already. Returns the folder's full path. */
export async function writeHome(options: HomeOptions): Promise<string> {
  const folder = resolve(options.folder);
  await assertFree(folder);
  await mkdir(folder, { recursive: true });
  await copyTemplate('base', folder);
  if (options.template === 'full') await copyTemplate('full', folder);
  for (const [from, to] of Object.entries(renamed)) await rename(join(folder, from), join(folder, to));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(packageOf(folder, options), null, 2)}\n`);
  return folder;
}

/** A name that npm takes, made of any folder name. */
export function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[-]+$/g, '');
  return name || 'my-luna';
}

function packageOf(folder: string, { template, version, packages }: HomeOptions): Record<string, unknown> {
  const dependencies: Record<string, string> = {
    '@luna/core': version,
    '@luna/server': version,
    ...(template === 'full' && { '@modelcontextprotocol/server-filesystem': '2026.8.31' }),
    // Luna needs a newer Node than many machines have; this brings it along, for this folder alone.
    node: '24.x',
    zod: '^4.6.7',
  };
  const overrides: Record<string, string> = {};
  for (const [name, spec] of Object.entries(packages)) {
    if (name in dependencies) dependencies[name] = spec;
    overrides[name] = name in dependencies ? `$${name}` : spec;
  }
  return {
    name: packageName(folder),
    private: true,
    type: 'module',
    scripts: { start: 'luna start', luna: 'luna' },
    dependencies,
    ...(Object.keys(overrides).length > 0 && { overrides }),
    allowScripts: { node: true },
  };
}

async function assertFree(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOENT') return;
    if (code === 'ENOTDIR') throw new FolderError(`${folder} is a file. Name a folder.`);
    throw thrown;
  }
  if (names.length > 0)
    throw new FolderError(`${folder} is not empty. Name an empty folder, or one that is not there yet.`);
}

function copyTemplate(name: string, folder: string): Promise<void> {
  return cp(fileURLToPath(new URL(`../template/${name}`, import.meta.url)), folder, { recursive: true });
}
