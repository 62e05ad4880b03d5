import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { systemCodeOf } from '../../errors/index.ts';

/** The longest file that a script may read or write, in bytes. */
const maxFileBytes = 10 * 1024 * 1024;

/**
 * Files of a home, as far as they were permitted. Each path is judged when it is used, after every link in it has been
 * followed: what leads out of the permitted folders is refused.
 */
export class PermittedFiles {
  readonly #home: string;
  readonly #read: readonly string[];
  readonly #write: readonly string[];

  constructor(home: string, permissions: { readonly read: readonly string[]; readonly write: readonly string[] }) {
    this.#home = home;
    this.#read = [...permissions.read, ...permissions.write];
    this.#write = permissions.write;
  }

  async read(path: string): Promise<string> {
    const file = await this.#judged(path, this.#read, 'read');
    // Not waiting: a pipe that nobody writes to would hold a thread of the whole process.
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      const { size } = found;
      if (!found.isFile()) throw new Error(`${path} is no file`);
      if (size > maxFileBytes) throw new Error(`${path} is longer than ${maxFileBytes} bytes`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  }

  async write(path: string, text: string): Promise<void> {
    if (Buffer.byteLength(text) > maxFileBytes) throw new Error(`${path} would be longer than ${maxFileBytes} bytes`);
    const file = await this.#judged(path, this.#write, 'write');
    await mkdir(dirname(file), { recursive: true });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(file, flags, 0o600);
    try {
      if (!(await handle.stat()).isFile()) throw new Error(`${path} is no file`);
      await handle.truncate();
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  }

  async list(path: string): Promise<string[]> {
    const entries = await readdir(await this.#judged(path, this.#read, 'read'), { withFileTypes: true });
    return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  }

  async exists(path: string): Promise<boolean> {
    try {
      await lstat(await this.#judged(path, this.#read, 'read'));
      return true;
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return false;
      throw thrown;
    }
  }

  async delete(path: string): Promise<void> {
    await rm(await this.#judged(path, this.#write, 'delete'), { force: true });
  }

  /** The real path, if it lies within one that is permitted. */
  async #judged(path: string, permitted: readonly string[], verb: string): Promise<string> {
    if (path.includes('\0')) throw new Error('a path holds no zero');
    const real = await realPathOf(resolve(this.#home, path));
    for (const one of permitted) {
      const root = await realPathOf(resolve(this.#home, one));
      if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return real;
    }
    throw new Error(`this tool may not ${verb} ${path}: add it to permissions.filesystem in mcp_tool.json`);
  }
}

/** The path with all its links followed; of what is not there yet, the part that is. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown;
    const parent = dirname(path);
    if (parent === path) return path;
    // A link that leads to nothing is no name for a new file.
    const isLink = await lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    if (isLink) throw new Error(`${path} is a link that leads to nothing`);
    return join(await realPathOf(parent), path.slice(parent.length).replace(/^[\\/]/, ''));
  }
}
