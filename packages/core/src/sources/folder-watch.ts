import { relative, sep } from 'node:path';
import { watch } from 'chokidar';

/** How long a folder must be quiet before its change is told, in milliseconds: one save is several events. */
const quietMs = 60;

/**
 * Watches the folders directly below `parent`. Tells the name of each one in which a file came, changed or went, soon
 * after the last event. Dependencies, data and hidden files are not watched.
 */
export async function watchFolders(
  parent: string,
  onChange: (folder: string) => void,
): Promise<{ close(): Promise<void> }> {
  const timers = new Map<string, NodeJS.Timeout>();
  const partsOf = (path: string) => relative(parent, path).split(sep).filter(Boolean);
  const watcher = watch(parent, {
    ignoreInitial: true,
    depth: 6,
    ignored: (path) => {
      const [, second, ...rest] = partsOf(path);
      return (
        second === 'data' ||
        [second, ...rest].some(
          (part) => part === 'node_modules' || part === '__pycache__' || part?.startsWith('.') === true,
        )
      );
    },
  });
  watcher.on('all', (_event, path) => {
    const [folder] = partsOf(path);
    if (folder === undefined || folder.startsWith('.')) return;
    clearTimeout(timers.get(folder));
    const tell = () => {
      timers.delete(folder);
      onChange(folder);
    };
    timers.set(folder, setTimeout(tell, quietMs));
  });
  await new Promise<void>((resolve) => watcher.once('ready', resolve));
  return {
    async close() {
      for (const timer of timers.values()) clearTimeout(timer);
      await watcher.close();
    },
  };
}
