import { setTimeout as sleep } from 'node:timers/promises';
import { homePaths } from '@luna/core/config';
import { LunaError, toLunaError } from '@luna/core/errors';
import { lockHolder } from '@luna/core/supervisor';
import { Command } from 'commander';
import { z } from 'zod';
import { findHome } from '../../settings.ts';
import { print, run } from '../output.ts';
import { ask, findRunning, type RunningLuna } from '../running-luna.ts';

interface Options {
  readonly home?: string;
  readonly json?: boolean;
}

/** How long an end and a start may take, in milliseconds. */
const limits = { stop: 20_000, restart: 60_000 };

export function stopCommand(): Command {
  return new Command('stop')
    .description('End the Luna that runs on a home, and everything that it runs.')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((options: Options) => run(options.json, () => stop(options)));
}

export function restartCommand(): Command {
  return new Command('restart')
    .description('End the Luna that runs on a home and start it again.')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((options: Options) => run(options.json, () => restart(options)));
}

async function stop({ home: flag, json }: Options): Promise<void> {
  const home = findHome(flag, process.env);
  const { lock } = homePaths(home);
  const holder = await lockHolder(lock);
  if (!holder) throw new LunaError('not_running', `Luna does not run on ${home}.`);
  try {
    await ask(await findRunning(flag), 'POST', '/shutdown', z.unknown());
  } catch (thrown) {
    // One that cannot be asked is told by a signal. Its lock says who it is, start time and all.
    if (toLunaError(thrown).code !== 'not_running') throw thrown;
    process.kill(holder.pid, 'SIGTERM');
  }
  const deadline = performance.now() + limits.stop;
  while (await lockHolder(lock)) {
    if (performance.now() > deadline)
      throw new LunaError('timeout', `Process ${holder.pid} has not ended within ${limits.stop / 1000} s.`);
    await sleep(50);
  }
  print({ home, stopped: true }, json, () => `Luna on ${home} has ended.`);
}

async function restart({ home: flag, json }: Options): Promise<void> {
  const luna = await findRunning(flag);
  const before = await startedAt(luna);
  await ask(luna, 'POST', '/restart', z.unknown()).catch((thrown: unknown) => {
    if (toLunaError(thrown).code !== 'not_found') throw thrown;
    throw new LunaError('conflict', 'This Luna runs without a launcher; start it again by what started it.');
  });
  const deadline = performance.now() + limits.restart;
  for (;;) {
    await sleep(100);
    const now = await startedAt(luna).catch(() => undefined);
    if (now !== undefined && now !== before && (await isReady(luna))) break;
    if (performance.now() > deadline) {
      throw new LunaError('timeout', `Luna was not ready again within ${limits.restart / 1000} s. See logs/luna.log.`);
    }
  }
  print({ home: luna.home, url: luna.url }, json, ({ url }) => `Luna is ready again at ${url}.`);
}

async function startedAt(luna: RunningLuna): Promise<number> {
  return (await ask(luna, 'GET', '/status', z.object({ startedAt: z.number() }))).startedAt;
}

async function isReady({ url }: RunningLuna): Promise<boolean> {
  return (await fetch(`${url}/readyz`).catch(() => undefined))?.ok ?? false;
}
