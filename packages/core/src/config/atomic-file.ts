import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { LunaError, messageOf, systemCodeOf } from '../errors/index.ts';

/**
 * Writes a file so that it is wholly the new one or wholly the old one, whatever happens meanwhile, and is on the
 * disk when this returns. Makes the folder when it is missing. Throws `no_space` when the disk is full.
 */
export async function writeFileDurably(file: string, content: string, mode = 0o600): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, content, { mode, fsync: true });
    // The rename itself is durable only once the folder is synced.
    const folder = await open(dirname(file), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new LunaError('no_space', `The disk is full: ${file} was not changed. Free some space and try again.`, {
        cause: thrown,
      });
    }
    throw new LunaError('internal', `Cannot write ${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
