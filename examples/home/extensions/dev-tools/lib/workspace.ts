import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';

/** The only folder in which these tools read and write: `workspace` in the data of the extension. */
export async function workspaceOf(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'workspace');
  await mkdir(folder, { recursive: true });
  return realpath(folder);
}

/** A path within the workspace, after links have been followed. Throws for one that leads out of it. */
export async function inWorkspace(dataDir: string, path: string): Promise<string> {
  const root = await workspaceOf(dataDir);
  const wanted = resolve(root, path);
  const real = await realOf(wanted);
  if (real !== root && !real.startsWith(root + sep)) throw new Error(`"${path}" lies outside of the workspace.`);
  return real;
}

async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realOf(parent), path.slice(parent.length + 1));
  }
}
