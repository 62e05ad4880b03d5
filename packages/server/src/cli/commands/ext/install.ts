import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { LunaError } from '@luna/core/errors';

/** One command that was run, and why. */
export interface InstallStep {
  readonly what: 'npm' | 'pip';
  readonly command: readonly string[];
}

/**
 * Puts what an extension depends on into its own folder: packages of npm, whose scripts are not run, and packages of
 * Python into an environment of its own. Throws `process_failed` with the last words of the command that failed.
 */
export async function installDependencies(folder: string, onLine: (line: string) => void): Promise<InstallStep[]> {
  const steps: InstallStep[] = [];
  const run = async (what: InstallStep['what'], command: readonly string[]) => {
    onLine(command.join(' '));
    await runCommand(folder, command, onLine);
    steps.push({ what, command });
  };
  if (await isThere(join(folder, 'package.json'))) {
    await run('npm', ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev']);
  }
  if (await isThere(join(folder, 'requirements.txt'))) {
    if (!(await isThere(join(folder, '.venv', 'bin', 'python3')))) await run('pip', ['python3', '-m', 'venv', '.venv']);
    const python = join(folder, '.venv', 'bin', 'python3');
    await run('pip', [python, '-m', 'pip', 'install', '--disable-pip-version-check', '-r', 'requirements.txt']);
  }
  if (steps.length > 0) await touch(folder);
  return steps;
}

/** A Luna that runs does not watch what was installed: it loads the extension anew because of this. */
async function touch(folder: string): Promise<void> {
  const now = new Date();
  for (const name of ['package.json', 'requirements.txt']) {
    if (await isThere(join(folder, name))) await utimes(join(folder, name), now, now);
  }
}

async function runCommand(
  folder: string,
  [command = '', ...args]: readonly string[],
  onLine: (line: string) => void,
): Promise<void> {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const last: string[] = [];
  const take = (chunk: Buffer) => {
    for (const line of chunk.toString('utf8').split('\n').filter(Boolean)) {
      onLine(line);
      last.push(line);
      if (last.length > 10) last.shift();
    }
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const failed = once(child, 'error').then(([error]) => {
    throw new LunaError('command_not_found', `${command} cannot be started: ${String(error)}`);
  });
  const [code] = await Promise.race([once(child, 'close'), failed]);
  failed.catch(() => undefined);
  if (code !== 0) throw new LunaError('process_failed', `${command} ended with ${code}: ${last.join(' | ')}`);
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
