import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { setFolderAside } from '../config/index.ts';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import { ownerMark } from './child.ts';
import { identify, isRunning, processesMarked } from './process-identity.ts';
import { stopProcesses } from './stop.ts';

const lockSchema = z.object({ pid: z.number().int().positive(), startTime: z.string(), owner: z.string() });

/** How long others may be about the lock before this is given up, in milliseconds. */
const patienceMs = 15_000;

/** The right to run on a folder, held by one process at a time. */
export interface HomeLock {
  /** Marks the processes that are started under this lock (see `startChild`), so that they can be found later. */
  readonly owner: string;
  release(): Promise<void>;
}

/**
 * Takes the lock file. One that a crashed process left is cleared, and what that process had started and still runs
 * is ended first. Throws `already_running`, naming the holder's process id, when the holder lives.
 */
export async function takeLock(file: string): Promise<HomeLock> {
  await mkdir(dirname(file), { recursive: true });
  const self = await identify(process.pid);
  if (!self) throw new LunaError('internal', 'Cannot tell the start time of this process.');
  const owner = randomUUID();
  const content = JSON.stringify({ ...self, owner });
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; ) {
    if (await createExclusively(file, content)) return { owner, release: () => releaseLock(file, owner) };
    const holder = await lockHolder(file);
    if (holder) throw alreadyRunning(holder.pid);
    if (!(await clearInTurn(file, content))) await sleep(20);
  }
  throw new LunaError('conflict', `Cannot take the lock ${file}: others keep taking it.`);
}

/** Who holds the lock now, if anyone does. */
export async function lockHolder(file: string): Promise<{ pid: number } | undefined> {
  const lock = await readLock(file);
  return typeof lock === 'object' && (await isRunning(lock)) ? { pid: lock.pid } : undefined;
}

function alreadyRunning(pid: number): LunaError {
  return new LunaError(
    'already_running',
    `Luna already runs on this home, as process ${pid}. Stop it first, or use another home.`,
    { details: { pid } },
  );
}

/**
 * Clears a lock whose holder is gone; false when another process is about it. Who looks and then removes, without its
 * turn, could remove the lock that another one has taken in between.
 */
async function clearInTurn(file: string, content: string): Promise<boolean> {
  const turn = `${file}.clearing`;
  if (!(await createExclusively(turn, content))) {
    const left = await readLock(turn);
    if (left === 'unreadable' || (left !== 'none' && !(await isRunning(left)))) await setAside(turn, left);
    return false;
  }
  try {
    const lock = await readLock(file);
    if (lock === 'none') return true;
    if (lock !== 'unreadable') {
      if (await isRunning(lock)) throw alreadyRunning(lock.pid);
      await stopProcesses(await processesMarked(ownerMark, lock.owner));
    }
    if (lock === 'unreadable') await setFolderAside(file);
    await removeIfThere(file);
    return true;
  } finally {
    await removeIfThere(turn);
  }
}

/** Removes what a crash left, and only that: another process may have put its own in its place meanwhile. */
async function setAside(file: string, left: ReadLock): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return;
    throw thrown;
  }
  if (ownerOf(await readLock(aside)) !== ownerOf(left)) await linkUnlessThere(aside, file);
  await removeIfThere(aside);
}

/** The lock appears whole or not at all: it is written beside and linked into place. */
async function createExclusively(file: string, content: string): Promise<boolean> {
  const beside = `${file}.${randomUUID()}`;
  try {
    await writeFile(beside, content, { mode: 0o600, flush: true });
    return await linkUnlessThere(beside, file);
  } finally {
    await removeIfThere(beside);
  }
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
}

/** What a lock file holds: nothing that makes sense, where it was cut or edited, or a folder stands in its place. */
type ReadLock = z.infer<typeof lockSchema> | 'none' | 'unreadable';

async function readLock(file: string): Promise<ReadLock> {
  try {
    return lockSchema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data ?? 'unreadable';
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return 'none';
    if (thrown instanceof SyntaxError || systemCodeOf(thrown) === 'EISDIR') return 'unreadable';
    throw thrown;
  }
}

function ownerOf(lock: ReadLock): string | undefined {
  return typeof lock === 'object' ? lock.owner : undefined;
}

async function releaseLock(file: string, owner: string): Promise<void> {
  if (ownerOf(await readLock(file)) === owner) await removeIfThere(file);
}

async function removeIfThere(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown;
  }
}
