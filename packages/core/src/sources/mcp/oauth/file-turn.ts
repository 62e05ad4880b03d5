import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError, toLunaError } from '../../../errors/index.ts';
import { takeLock } from '../../../supervisor/index.ts';

/** How long others may be at it, and how often one looks again, in milliseconds. */
const patienceMs = 60_000;
const lookAgainMs = 15;

/**
 * Does some work while no other process, and nobody else in this one, does work under the same lock file. What a
 * crashed process left is cleared. Throws `conflict` when the others do not come to an end.
 */
export async function inTurn<Result>(lockFile: string, work: () => Promise<Result>): Promise<Result> {
  const lock = await acquire(lockFile);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function acquire(lockFile: string): Promise<{ release(): Promise<void> }> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; ) {
    try {
      return await takeLock(lockFile);
    } catch (thrown) {
      if (toLunaError(thrown).code !== 'already_running') throw thrown;
      await sleep(lookAgainMs * (0.5 + Math.random()));
    }
  }
  throw new LunaError('conflict', `Another process does not let go of ${lockFile}. End it, or remove the file.`);
}
