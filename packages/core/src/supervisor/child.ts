import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { LunaError, messageOf } from '../errors/index.ts';
import { networkVariables } from './network-environment.ts';
import { defaultGraceMs, stopGroup } from './stop.ts';

/** The environment key that marks every process which this Luna starts, and what those start in turn. */
export const ownerMark = 'LUNA_OWNER';

export interface ChildOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** The working folder. Programs of `node_modules/.bin` in it and above it are found by name, as npm does. */
  readonly cwd: string;
  /** What the process gets beside the few variables that every program needs. Nothing else of Luna's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Recognises the process after a crash of Luna; see {@link ownerMark}. */
  readonly owner?: string;
}

/** How a process ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process in a group of its own, with its standard streams. */
export interface Child {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process has ended. */
  readonly exited: Promise<ChildExit>;
  /** Ends the whole group: SIGTERM, then SIGKILL after the grace period in milliseconds. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Starts a program in a process group of its own. Throws `command_not_found` when there is no such program and
 * `process_failed` when it cannot be started.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const env = childEnvironment(options);
  const command = findCommand(options.command, options.cwd, env.PATH ?? '');
  const child = spawn(command, options.args ?? [], {
    cwd: options.cwd,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<ChildExit>((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }));
  });
  const pid = await started(child, options);
  return {
    pid,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    stop: (graceMs = defaultGraceMs) => stopGroup(pid, graceMs, exited),
  };
}

/** How a process ended, in words. */
export function describeExit(exit: ChildExit): string {
  return exit.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code ?? 'unknown'}`;
}

/** The variables that programs cannot do without; all others must be asked for by name. */
const passedOn = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TERM',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  ...networkVariables,
];

/** The environment of a child: the few common variables, the program folders of `cwd`, and what was asked for. */
export function childEnvironment(options: Pick<ChildOptions, 'cwd' | 'env' | 'owner'>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const key of passedOn) {
    const value = process.env[key];
    if (value !== undefined) env[key] = value;
  }
  Object.assign(env, options.env);
  env.PATH = [...programFolders(options.cwd), env.PATH ?? ''].filter(Boolean).join(delimiter);
  if (options.owner !== undefined) env[ownerMark] = options.owner;
  return env;
}

function programFolders(cwd: string): string[] {
  const folders: string[] = [];
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    folders.push(join(folder, 'node_modules', '.bin'));
    if (dirname(folder) === folder) return folders;
  }
}

/**
 * Looked up here rather than by spawn, so that the error can say what was looked for and where. At once, as spawn would:
 * threads that are busy with the disk must not hold a start up.
 */
function findCommand(command: string, cwd: string, path: string): string {
  const candidates =
    isAbsolute(command) || command.includes('/')
      ? [resolve(cwd, command)]
      : path
          .split(delimiter)
          .filter(Boolean)
          .map((folder) => join(folder, command));
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK);
      // A folder may be "executable" too.
      if (statSync(candidate).isFile()) return candidate;
    } catch (thrown) {
      if (candidates.length === 1) throw notFound(command, cwd, thrown);
    }
  }
  throw notFound(command, cwd);
}

function notFound(command: string, cwd: string, cause?: unknown): LunaError {
  return new LunaError(
    'command_not_found',
    `There is no program "${command}". Install it, correct the command, or give its full path (looked in PATH and in node_modules/.bin of ${cwd} and above).`,
    { cause, details: { command } },
  );
}

function started(child: ChildProcessByStdio<Writable, Readable, Readable>, options: ChildOptions): Promise<number> {
  return new Promise((settle, reject) => {
    child.once('error', (error) => {
      // The system blames the program when it is the folder that is missing.
      const why = existsSync(options.cwd)
        ? messageOf(error)
        : `its working folder ${options.cwd} does not exist. Make it, or correct the setting "cwd".`;
      reject(new LunaError('process_failed', `Cannot start "${options.command}": ${why}`, { cause: error }));
    });
    child.once('spawn', () => settle(child.pid ?? 0));
  });
}
