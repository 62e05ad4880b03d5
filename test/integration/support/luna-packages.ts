import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { repository, temporaryFolder } from './luna-process.ts';

/** Files of a package by their path in it. */
export type PackageFiles = Record<string, string>;

const packages = { core: ['dist', 'python'], server: ['dist', 'bin', 'external_services'] } as const;
type Name = keyof typeof packages;

/**
 * A folder below which the packages of Luna find all that they depend on, though nothing but themselves is installed
 * there: no network is needed.
 */
export async function folderWithDependencies(): Promise<string> {
  const folder = await temporaryFolder();
  const modules = join(folder, 'node_modules');
  await mkdir(modules);
  for (const from of ['packages/core', 'packages/server', '.']) {
    const source = join(repository, from, 'node_modules');
    for (const name of await readdir(source)) {
      if (name.startsWith('.') || name === '@luna') continue;
      // What a package has for itself comes first.
      await symlink(join(source, name), join(modules, name)).catch(() => undefined);
    }
  }
  return folder;
}

/** What the built packages of Luna consist of, in a version, depending on nothing but one another. */
export async function lunaPackages(
  version: string,
  change: PackageFiles = {},
): Promise<Record<Name | 'ui', PackageFiles>> {
  const core = await filesOf('core', version, []);
  const server = { ...(await filesOf('server', version, ['core', 'ui'])), ...change };
  const manifest = { name: '@luna/ui', version, exports: { './package.json': './package.json' } };
  const ui = { 'package.json': JSON.stringify(manifest), 'dist/index.html': '<!doctype html><title>Luna</title>' };
  return { core, server, ui };
}

/** A server that dies before it has done anything. */
export const dyingServer: PackageFiles = { 'dist/cli/commands/serve.js': 'process.exit(3);\n' };

async function filesOf(name: Name, version: string, dependencies: readonly string[]): Promise<PackageFiles> {
  const root = join(repository, 'packages', name);
  const files: PackageFiles = {};
  for (const folder of packages[name]) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(root.length + 1);
      if (!entry.isFile() || /\.d\.ts$|\.map$|\.tsbuildinfo$|__pycache__/.test(path)) continue;
      files[path] = await readFile(join(root, path), 'utf8');
    }
  }
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const own = Object.fromEntries(dependencies.map((one) => [`@luna/${one}`, version]));
  const { devDependencies: _left, ...rest } = manifest;
  files['package.json'] = JSON.stringify({ ...rest, version, dependencies: own });
  return files;
}

/** A repository of Luna in this version, as small as it can be: what is built is there, and has to be put into place. */
export async function lunaRepository(version: string, change: PackageFiles = {}): Promise<PackageFiles> {
  const all = await lunaPackages(version, change);
  const files: PackageFiles = {
    'package.json': JSON.stringify({
      name: 'luna-monorepo',
      private: true,
      type: 'module',
      scripts: { build: 'node build.mjs' },
    }),
    'package-lock.json': '{}\n',
    '.gitignore': 'node_modules\ndist\n',
    'build.mjs': `import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
mkdirSync('node_modules/@luna', { recursive: true });
for (const name of ['core', 'server', 'ui']) {
  rmSync('packages/' + name + '/dist', { recursive: true, force: true });
  cpSync('packages/' + name + '/built', 'packages/' + name + '/dist', { recursive: true });
  rmSync('node_modules/@luna/' + name, { force: true });
  symlinkSync('../../packages/' + name, 'node_modules/@luna/' + name);
}
console.log('built ${version}');
`,
  };
  for (const [name, content] of Object.entries(all))
    for (const [path, text] of Object.entries(content))
      files[join('packages', name, path.replace(/^dist\//, 'built/'))] = text;
  return files;
}

/** The command of the Luna that is installed in a folder by npm, or checked out there. */
export function programIn(root: string, kind: 'npm' | 'git'): string {
  const folder = kind === 'npm' ? join('node_modules', '@luna', 'server') : join('packages', 'server');
  return join(root, folder, 'bin', 'luna.mjs');
}
