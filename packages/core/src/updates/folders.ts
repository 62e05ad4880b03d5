import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LunaError, systemCodeOf } from '../errors/index.ts';

/** Where updates work. All of it lies on the file system of the extensions, so that a rename is one step. */
export interface UpdateFolders {
  readonly extensions: string;
  readonly queue: string;
  readonly uploads: string;
  /** Copies that were shown, by their digest. */
  readonly fetched: string;
  /** Downloads and what is being unpacked; nothing in it outlives Luna. */
  readonly work: string;
  /** Extensions that are complete and wait for their place. */
  readonly staged: string;
  /** Extensions that just left their place. */
  readonly outgoing: string;
  /** The version before, of each extension that has one. */
  readonly former: string;
  readonly journal: string;
}

/** The folders of a home. `generated` is its `.luna`. */
export function updateFolders(extensions: string, generated: string): UpdateFolders {
  const root = join(generated, 'updates');
  return {
    extensions,
    queue: join(generated, 'update_queue.json'),
    uploads: join(generated, 'uploads'),
    fetched: join(root, 'fetched'),
    work: join(root, 'work'),
    staged: join(root, 'staged'),
    outgoing: join(root, 'outgoing'),
    former: join(root, 'former'),
    journal: join(root, 'journal.json'),
  };
}

/** Whether an earlier Luna left something to do: a queue, or an extension in the middle of a switch. */
export async function updatesWait(extensions: string, generated: string): Promise<boolean> {
  const { queue, journal } = updateFolders(extensions, generated);
  return (await isThere(queue)) || (await isThere(journal));
}

export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

export async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Moves a folder in one step, and has both places on the disk. Throws `conflict` across file systems. */
export async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  try {
    await rename(from, to);
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'EXDEV')
      throw new LunaError(
        'conflict',
        `${dirname(to)} and ${dirname(from)} are on different file systems, so that nothing can be switched in one step. Keep extensions/ and .luna/ on one.`,
        { cause: thrown },
      );
    throw thrown;
  }
  await synced(dirname(to));
  await synced(dirname(from));
}

async function synced(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
