import { readdir, readFile, readlink } from 'node:fs/promises';

/** The state of a listening socket in the tables of the kernel. */
const listening = '0A';

/** Who listens on a TCP port, as far as the system tells this user: a process id and its command. Linux only. */
export async function portHolder(port: number): Promise<{ pid: number; command: string } | undefined> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => textOf(`/proc/net/${name}`)));
  const sockets = new Set(tables.flatMap((table) => listeningSockets(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  const pids = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    for (const descriptor of await namesIn(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      // Only the name: arguments may hold secrets.
      if (sockets.has(target)) return { pid: Number(pid), command: (await textOf(`/proc/${pid}/comm`)).trim() };
    }
  }
  return undefined;
}

function listeningSockets(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      return state === listening && local.endsWith(`:${wanted}`) && inode !== undefined ? [inode] : [];
    });
}

/** Empty where there is no such file, or it may not be read. */
async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
