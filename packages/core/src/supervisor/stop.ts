import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../errors/index.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';

/** How long a process may take to end by itself before it is killed, in milliseconds. */
export const defaultGraceMs = 10_000;

/**
 * Ends a whole process group that this process started: SIGTERM, then SIGKILL after the grace period. Returns once no
 * member of the group is left.
 */
export async function stopGroup(groupId: number, graceMs = defaultGraceMs): Promise<void> {
  if (!signalGroup(groupId, 'SIGTERM')) return;
  if (await groupEnds(groupId, graceMs)) return;
  signalGroup(groupId, 'SIGKILL');
  await groupEnds(groupId, 2_000);
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

async function groupEnds(groupId: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  // There is no event for the end of a group whose leader has gone; looking costs a system call.
  for (let pause = 5; performance.now() < deadline; pause = Math.min(pause * 2, 100)) {
    if (!signal(-groupId, 0)) return true;
    await sleep(pause);
  }
  return !signal(-groupId, 0);
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
