import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const left = new Set<string>();

/** Runs `start` with a new folder, which is removed when `start` fails or when the given `remove` is called. */
export async function withTemporaryFolder<T>(
  start: (folder: string, remove: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-bench-'));
  left.add(folder);
  const remove = async () => {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    left.delete(folder);
  };
  try {
    return await start(folder, remove);
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

// For a run that was interrupted. The processes that write there are killed by a handler that came before this one.
process.on('exit', () => {
  for (const folder of left) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
