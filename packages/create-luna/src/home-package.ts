import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Template } from './arguments.ts';

/** What create-luna's own package.json says of versions; a home takes them from there. */
export interface Versions {
  /** Of create-luna, and so of the packages of Luna. */
  readonly luna: string;
  /** Of the other packages that a home may need, by name. */
  readonly others: Readonly<Record<string, string>>;
}

/** Packages of other people in every home. `node` brings the Node that Luna needs, for the one folder alone. */
const always = ['node', 'zod'];
const ofTemplate: Record<Template, readonly string[]> = {
  minimal: [],
  full: ['@modelcontextprotocol/server-filesystem'],
};
/** What editors need to understand tool files. */
const forEditors = ['@types/node'];

/** Reads the package.json that create-luna was published with. */
export async function readVersions(): Promise<Versions> {
  const own: { version: string; homeVersions: Record<string, string> } = JSON.parse(
    await readFile(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return { luna: own.version, others: own.homeVersions };
}

/** A name that npm takes, made of any folder name. */
export function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    // npm takes no longer names.
    .slice(0, 214)
    .replace(/-+$/, '');
  return name || 'my-luna';
}

/**
 * The package.json of a home. `packages` says by name what to take instead of the usual version; it holds for
 * dependencies of dependencies too.
 */
export function homePackage(
  folder: string,
  template: Template,
  versions: Versions,
  packages: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const specOf = (name: string) =>
    packages[name] ?? (name.startsWith('@luna/') ? versions.luna : versions.others[name]);
  const listed = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, specOf(name)]));
  const dependencies = listed(['@luna/core', '@luna/server', ...ofTemplate[template], ...always]);
  const devDependencies = listed(forEditors);
  const overrides = Object.fromEntries(
    // npm wants an override of a direct dependency to be written as a reference to it.
    Object.entries(packages).map(([name, spec]) => [
      name,
      name in dependencies || name in devDependencies ? `$${name}` : spec,
    ]),
  );
  return {
    name: packageName(folder),
    private: true,
    type: 'module',
    scripts: { start: 'luna start', luna: 'luna' },
    dependencies,
    devDependencies,
    ...(Object.keys(overrides).length > 0 && { overrides }),
    allowScripts: { node: true },
  };
}
