import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** The interpreter of an extension: that of its `.venv`, or the system's. */
export async function pythonOf(folder: string): Promise<{ command: string; isOwn: boolean }> {
  const own = join(folder, '.venv', 'bin', 'python3');
  return (await isThere(own)) ? { command: own, isOwn: true } : { command: 'python3', isOwn: false };
}

/** What to do about a module that cannot be imported; empty when there is nothing to say. */
export async function adviceOnMissing(module: string, folder: string): Promise<string> {
  const name = basename(folder);
  if (await isThere(join(folder, 'requirements.txt'))) {
    return ` Run "luna ext install ${name}"; if "${module}" is not in requirements.txt, add it before.`;
  }
  return ` Write "${module}" into a requirements.txt in the folder of the extension and run "luna ext install ${name}".`;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
