import { basename, dirname } from 'node:path';
import { watch } from 'chokidar';

/** Calls back after each change of a file, also of one that comes later. Settles once it looks. */
export async function watchFile(file: string, onChange: () => void): Promise<{ close(): Promise<void> }> {
  const name = basename(file);
  // The folder is watched, not the file: editors replace files, and a watch on the old one would go blind.
  const watcher = watch(dirname(file), {
    depth: 0,
    ignoreInitial: true,
    ignored: (path, stats) => stats?.isFile() === true && basename(path) !== name,
  });
  watcher.on('add', onChange).on('change', onChange);
  await new Promise<void>((settle) => watcher.once('ready', settle));
  return watcher;
}
