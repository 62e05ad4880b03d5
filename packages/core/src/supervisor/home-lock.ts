import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import { ownerMark } from './child.ts';
import { identify, isRunning, processesMarked } from './process-identity.ts';
import { stopProcesses } from './stop.ts';

const lockSchema = z.object({ pid: z.number().int().positive(), startTime: z.string(), owner: z.string() });

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
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await createExclusively(file, JSON.stringify({ ...self, owner }))) {
      return { owner, release: () => releaseLock(file, owner) };
    }
    await clearIfStale(file);
  }
  throw new LunaError('conflict', `Cannot take the lock ${file}: others keep taking it.`);
}

/** Who holds the lock now, if anyone does. */
export async function lockHolder(file: string): Promise<{ pid: number } | undefined> {
  const lock = await readLock(file);
  return lock && (await isRunning(lock)) ? { pid: lock.pid } : undefined;
}

async function clearIfStale(file: string): Promise<void> {
  const lock = await readLock(file);
  if (lock && (await isRunning(lock))) {
    throw new LunaError(
      'already_running',
      `Luna already runs on this home, as process ${lock.pid}. Stop it first, or use another home.`,
      {
        details: { pid: lock.pid },
      },
    );
  }
  if (lock) await stopProcesses(await processesMarked(ownerMark, lock.owner));
  await setAside(file, lock?.owner);
}

/** Removes the stale lock, and only that one: another process may have put its own in its place meanwhile. */
async function setAside(file: string, staleOwner: string | undefined): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return;
    throw thrown;
  }
  if ((await readLock(aside))?.owner !== staleOwner) await linkUnlessThere(aside, file);
  await removeIfThere(aside);
}

/** The lock appears whole or not at all: it is written beside and linked into place. */
async function createExclusively(file: string, content: string): Promise<boolean> {
  const beside = `${file}.${randomUUID()}`;
  await writeFile(beside, content, { mode: 0o600, flush: true });
  const taken = await linkUnlessThere(beside, file);
  await removeIfThere(beside);
  return taken;
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

async function readLock(file: string): Promise<z.infer<typeof lockSchema> | undefined> {
  try {
    const parsed = lockSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT' || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

async function releaseLock(file: string, owner: string): Promise<void> {
  if ((await readLock(file))?.owner === owner) await removeIfThere(file);
}

async function removeIfThere(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown;
  }
}
