import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** What the processes of a group use together. */
export interface GroupUsage {
  readonly processes: number;
  /** Processor time since they began, in seconds. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

const run = promisify(execFile);
/** Of Linux on every machine that Node runs on: the unit of times, per second, and the size of a page, in bytes. */
const ticksPerSecond = 100;
const pageBytes = 4096;

/** What each of these process groups uses now. Groups without a process are left out. */
export async function usageOfGroups(groupIds: ReadonlySet<number>): Promise<Map<number, GroupUsage>> {
  const usage = new Map<number, GroupUsage>();
  if (groupIds.size === 0) return usage;
  const processes = process.platform === 'linux' ? await readProc() : await askPs();
  for (const { groupId, cpuSeconds, memoryBytes } of processes) {
    if (!groupIds.has(groupId)) continue;
    const so = usage.get(groupId) ?? { processes: 0, cpuSeconds: 0, memoryBytes: 0 };
    usage.set(groupId, {
      processes: so.processes + 1,
      cpuSeconds: so.cpuSeconds + cpuSeconds,
      memoryBytes: so.memoryBytes + memoryBytes,
    });
  }
  return usage;
}

interface OneProcess {
  readonly groupId: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

async function readProc(): Promise<OneProcess[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      // The program's name is in parentheses and may hold spaces; the state follows it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields.length < 22) return undefined;
      const [, , groupId] = fields.map(Number);
      const [user = 0, system = 0] = fields.slice(11, 13).map(Number);
      return {
        groupId: groupId ?? 0,
        cpuSeconds: (user + system) / ticksPerSecond,
        memoryBytes: Number(fields[21]) * pageBytes,
      };
    }),
  );
  return found.filter((one) => one !== undefined);
}

async function askPs(): Promise<OneProcess[]> {
  const { stdout } = await run('ps', ['-axo', 'pgid=,time=,rss=']);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [groupId = '', time = '', kilobytes = ''] = line.trim().split(/\s+/);
      const [seconds = 0, minutes = 0, hours = 0] = time.split(/[:-]/).map(Number).reverse();
      return {
        groupId: Number(groupId),
        cpuSeconds: seconds + minutes * 60 + hours * 3600,
        memoryBytes: Number(kilobytes) * 1024,
      };
    });
}
