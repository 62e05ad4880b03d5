import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseEnv } from 'node:util';
import type { SourceView } from '@luna/core/views';
import { expect, onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

/** Real processes of the built Luna, on homes of their own. */

export const repository = join(import.meta.dirname, '..', '..', '..');
const launcher = join(repository, 'packages', 'server', 'bin', 'luna.mjs');
const environment = {
  ...process.env,
  // Hundreds of processes run the same code.
  NODE_COMPILE_CACHE: join(tmpdir(), `luna-test-compile-cache-${process.getuid?.() ?? 0}`),
  PATH: `${join(repository, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
};

/** An empty folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-test-'));
  // A process that ends may still write into it: some twenty seconds of tries.
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  return folder;
}

/** A copy of a home of the examples, without what running it has left there. */
export async function copyOfExampleHome(): Promise<string> {
  const home = await temporaryFolder();
  const left = /[\\/](node_modules|\.luna|logs|\.env|master_config\.json)$/;
  await cp(join(repository, 'examples', 'home'), home, { recursive: true, filter: (path) => !left.test(path) });
  // Its dependencies are those of the repository.
  await symlink(join(repository, 'node_modules'), join(home, 'node_modules'));
  return home;
}

/** How a command of Luna ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `luna` with these arguments to its end. */
export async function luna(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; program?: string } = {},
): Promise<Outcome> {
  const { program = launcher, ...rest } = options;
  const child = spawn(process.execPath, [program, ...args], { ...rest, env: { ...environment, ...options.env } });
  const output = collect(child);
  child.stdin.end();
  const [code] = await once(child, 'close');
  return { code, ...output() };
}

/** A Luna that is ready. */
export class RunningLuna {
  readonly home: string;
  readonly url: string;
  readonly signInLink: string;
  readonly child: ChildProcess;
  readonly output: () => { stdout: string; stderr: string };

  constructor(
    home: string,
    child: ChildProcess,
    ready: { url: string; signIn: string },
    output: RunningLuna['output'],
  ) {
    this.home = home;
    this.child = child;
    this.url = ready.url;
    this.signInLink = ready.signIn;
    this.output = output;
  }

  async env(): Promise<NodeJS.Dict<string>> {
    return parseEnv(await readFile(join(this.home, '.env'), 'utf8'));
  }

  hubUrl(name = 'default'): URL {
    return new URL(`${this.url}/api/mcp-${name}`);
  }

  async hubKey(name = 'default'): Promise<string> {
    return (await this.env())[`MCP_SERVER_${name.toUpperCase()}_API_KEY`] ?? '';
  }

  /** Asks a control route with the supervisor token. */
  async api(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.url}/api/supervisor/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${(await this.env()).SUPERVISOR_API_TOKEN}`,
        'content-type': 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** Ends it as Ctrl-C does; returns the exit code. */
  async stop(): Promise<number | null> {
    if (hasEnded(this.child)) return this.child.exitCode;
    this.child.kill('SIGTERM');
    const [code] = await once(this.child, 'exit');
    return code;
  }

  async kill(): Promise<void> {
    if (hasEnded(this.child)) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** How long a Luna may take to end after a test before it is killed, in milliseconds. */
const endLimitMs = 30_000;

export interface StartOptions {
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  /** Default: serve, which is what the launcher (start) starts in its turn. */
  readonly command?: 'start' | 'serve';
  /** Another Luna than that of the repository. */
  readonly program?: string;
  /** Do not wait for sources that are slow to start: some never do. */
  readonly isImpatient?: boolean;
}

/**
 * Starts Luna on a home and waits until it is ready and no source is starting any more, which Luna itself does not on a
 * busy machine. It is stopped after the test.
 */
export async function startLuna(home: string, options: StartOptions = {}): Promise<RunningLuna> {
  const args = [
    options.program ?? launcher,
    options.command ?? 'serve',
    '--home',
    home,
    '--port',
    '0',
    '--json',
    ...(options.args ?? []),
  ];
  const child = spawn(process.execPath, args, {
    env: { ...environment, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  onTestFinished(() => ended(child));
  const ready = await new Promise<{ url: string; signIn: string }>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`Luna ended with ${code}: ${output().stderr}`)));
    child.stdout?.on('data', () => {
      const line = output().stdout.split('\n')[0];
      if (output().stdout.includes('\n') && line) resolve(JSON.parse(line));
    });
  });
  const running = new RunningLuna(home, child, ready, output);
  if (!options.isImpatient) await eventually(() => assertNothingStarts(running));
  return running;
}

/** As startLuna, by the launcher: where processes end, are started anew, or are asked for by other commands. */
export function launchLuna(home: string, options: StartOptions = {}): Promise<RunningLuna> {
  return startLuna(home, { command: 'start', ...options });
}

async function assertNothingStarts(running: RunningLuna): Promise<void> {
  const { sources }: { sources: SourceView[] } = await (await running.api('GET', 'status')).json();
  expect(sources.filter(({ health }) => health.status === 'starting').map(({ id }) => id)).toEqual([]);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
  await exit;
  clearTimeout(timer);
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  const texts = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (texts.stdout += chunk));
  child.stderr?.on('data', (chunk) => (texts.stderr += chunk));
  return () => ({ ...texts });
}
