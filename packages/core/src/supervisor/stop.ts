import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../errors/index.ts';
import { isRunning, livesInGroup, type ProcessIdentity } from './process-identity.ts';

/** How long a process may take to end by itself before it is killed, in milliseconds. */
export const defaultGraceMs = 10_000;

/**
 * Ends a whole process group that this process started: SIGTERM, then SIGKILL after the grace period. Returns once no
 * member of the group is left. `leaderEnds` settles when its leader does; with it the end is noticed sooner.
 */
export async function stopGroup(
  groupId: number,
  graceMs = defaultGraceMs,
  leaderEnds?: Promise<unknown>,
): Promise<void> {
  if (!signalGroup(groupId, 'SIGTERM')) return;
  if (await groupEnds(groupId, graceMs, leaderEnds)) return;
  signalGroup(groupId, 'SIGKILL');
  await groupEnds(groupId, 2_000, leaderEnds);
}

/** Ends single processes, recognised by id and start time: SIGTERM, then SIGKILL after the grace period. */
export async function stopProcesses(processes: readonly ProcessIdentity[], graceMs = 2_000): Promise<void> {
  await Promise.all(
    processes.map(async (identity) => {
      if (!(await isRunning(identity)) || !signal(identity.pid, 'SIGTERM')) return;
      const deadline = performance.now() + graceMs;
      while (performance.now() < deadline && (await isRunning(identity))) await sleep(20);
      if (await isRunning(identity)) signal(identity.pid, 'SIGKILL');
    }),
  );
}

/** Sends a signal to all of a group; false when there is no such group any more. */
export function signalGroup(groupId: number, name: NodeJS.Signals): boolean {
  return signal(-groupId, name);
}

async function groupEnds(groupId: number, withinMs: number, leaderEnds?: Promise<unknown>): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  let leader = leaderEnds?.then(() => {
    leader = undefined;
  });
  // There is no event for the end of a group whose leader has gone; looking costs a system call.
  for (let pause = 5; performance.now() < deadline; pause = Math.min(pause * 2, 100)) {
    if (hasEnded(groupId, pause)) return true;
    await (leader ? Promise.race([sleep(pause), leader]) : sleep(pause));
  }
  return hasEnded(groupId);
}

/**
 * Once its leader is gone, what is left of a group may be dead and wait for a parent who never asks, as in a container
 * whose first process is no init. Finding that out takes a look at every process: not at once, and not again and again.
 */
function hasEnded(groupId: number, pauseMs = 100): boolean {
  if (!signal(-groupId, 0)) return true;
  return pauseMs >= 40 && !signal(groupId, 0) && !livesInGroup(groupId);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (thrown) {
    // EPERM: the process exists but has become somebody else's, which a child of ours can only by its own will.
    return systemCodeOf(thrown) === 'EPERM';
  }
}
