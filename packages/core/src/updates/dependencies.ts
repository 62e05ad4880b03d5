import { utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { parseJsonText } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { registryEnvironment } from '../supervisor/index.ts';
import { runCommand } from './command.ts';
import { isThere, readIfThere } from './folders.ts';

/** One command that was run, and why. */
export interface InstallStep {
  readonly what: 'npm' | 'pip';
  readonly command: readonly string[];
}

export interface InstallDependenciesOptions {
  readonly onLine: (line: string) => void;
  /**
   * Whether the extension came from elsewhere. Then it may name packages of registries and nothing else, and packages
   * of Python come built, since building them runs them.
   */
  readonly isFetched: boolean;
  /** See `ChildOptions.owner`. */
  readonly owner?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For each command, in milliseconds. Default 10 minutes. */
  readonly limitMs?: number;
}

/** What an extension depends on, as it says. */
export interface NamedDependencies {
  readonly npm: readonly { readonly name: string; readonly range: string }[];
  readonly python: readonly string[];
  /** Why they will not be installed. */
  readonly refusals: readonly string[];
}

const packageSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
  overrides: z.unknown().optional(),
  workspaces: z.unknown().optional(),
  scripts: z.record(z.string(), z.unknown()).default({}),
});
const lockSchema = z.looseObject({
  packages: z.record(z.string(), z.looseObject({ resolved: z.string().optional() })).default({}),
});

const registryRange = /^(?:npm:@?[\w./-]+(?:@[\w.^~<>=|* +-]*)?|[\w.^~<>=|* +-]*)$/;
const ownFolder = /^file:(?:\.\/)?(?!.*\.\.)[\w./-]+$/;
const plainRequirement = /^[A-Za-z0-9][\w.-]*(?:\[[\w,\s.-]*\])?\s*(?:[<>=!~]=?=?\s*[\w.*+!-]+\s*,?\s*)*(?:;[^@\\]*)?$/;

/**
 * Puts what an extension depends on into its own folder: packages of npm, whose scripts are not run, and packages of
 * Python into an environment of its own. Throws `process_failed` with the last words of the command that failed,
 * `invalid_input` for dependencies that are refused.
 */
export async function installDependencies(
  folder: string,
  { onLine, isFetched, owner, signal, limitMs = 600_000 }: InstallDependenciesOptions,
): Promise<InstallStep[]> {
  if (isFetched) {
    const { refusals } = await namedDependencies(folder);
    if (refusals.length > 0) throw new LunaError('invalid_input', refusals.join(' '));
  }
  const steps: InstallStep[] = [];
  // Programs that packages bring are found in the working folder before all others.
  const cwd = isFetched ? dirname(folder) : folder;
  const run = async (what: InstallStep['what'], step: readonly string[]) => {
    const [command = '', ...args] = step;
    onLine(step.join(' '));
    await runCommand({ command, args, cwd, env: registryEnvironment(), owner, signal, limitMs, onLine });
    steps.push({ what, command: step });
  };
  if (await isThere(join(folder, 'requirements.txt'))) {
    const python = join(folder, '.venv', 'bin', 'python3');
    if (!(await isThere(python))) await run('pip', ['python3', '-m', 'venv', join(folder, '.venv')]);
    const built = isFetched ? ['--only-binary=:all:'] : [];
    const list = join(folder, 'requirements.txt');
    await run('pip', [python, '-m', 'pip', 'install', '--disable-pip-version-check', ...built, '-r', list]);
  }
  if (await isThere(join(folder, 'package.json'))) {
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev'];
    // What packages of a registry depend on in turn is held to registries too.
    const strict = ['--prefix', folder, '--allow-git=none', '--allow-remote=none'];
    await run('npm', ['npm', 'install', ...flags, ...(isFetched ? strict : [])]);
  }
  if (steps.length > 0) await touch(folder);
  return steps;
}

/** Reads what an extension depends on, without installing anything. Throws `config_invalid` for a broken file. */
export async function namedDependencies(folder: string): Promise<NamedDependencies> {
  const npm: { name: string; range: string }[] = [];
  const refusals: string[] = [];
  const text = await readIfThere(join(folder, 'package.json'));
  if (text !== undefined) {
    const found = parseJsonText(text, packageSchema, 'package.json');
    // Both lead npm elsewhere than to what is shown: to other folders, and to other packages.
    for (const key of ['workspaces', 'overrides'] as const)
      if (found[key] !== undefined) refusals.push(`"${key}" in package.json is refused.`);
    const all = { ...found.peerDependencies, ...found.optionalDependencies, ...found.dependencies };
    for (const [name, range] of Object.entries(all)) {
      npm.push({ name, range });
      if (!registryRange.test(range) && !ownFolder.test(range))
        refusals.push(`The package "${name}" would come from ${range}; only those of a registry are installed.`);
    }
  }
  for (const name of ['package-lock.json', 'npm-shrinkwrap.json']) {
    const lock = await readIfThere(join(folder, name));
    if (lock === undefined) continue;
    const { packages } = parseJsonText(lock, lockSchema, name);
    for (const [place, { resolved }] of Object.entries(packages))
      if (resolved !== undefined && !/^https?:\/\//.test(resolved) && !/^(?!.*\.\.)[\w./-]+$/.test(resolved))
        refusals.push(`"${place}" in ${name} would come from ${resolved}; only packages of a registry are installed.`);
  }
  const python = requirementsIn((await readIfThere(join(folder, 'requirements.txt'))) ?? '');
  for (const line of python) {
    if (!plainRequirement.test(line))
      refusals.push(`"${line}" in requirements.txt is refused: give packages by name and version only.`);
  }
  return { npm, python, refusals };
}

/** The scripts of `package.json` that npm would run at an installation. Luna does not. */
export async function installScripts(folder: string): Promise<string[]> {
  const text = await readIfThere(join(folder, 'package.json'));
  if (text === undefined) return [];
  const { scripts } = parseJsonText(text, packageSchema, 'package.json');
  const atInstall = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare', 'prepublish'];
  return Object.keys(scripts).filter((name) => atInstall.includes(name));
}

function requirementsIn(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(^|\s)#.*$/, '').trim());
  return lines.filter((line) => line !== '');
}

/** A Luna that runs does not watch what was installed: it loads the extension anew because of this. */
async function touch(folder: string): Promise<void> {
  const now = new Date();
  for (const name of ['package.json', 'requirements.txt']) {
    if (await isThere(join(folder, name))) await utimes(join(folder, name), now, now);
  }
}
