import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
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
/** So many processes are looked at before others get their turn; that is two milliseconds. */
const readAtOnce = 100;

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

/** Read at once and not by threads, as the files are in memory; others get their turn in between. */
async function readProc(): Promise<OneProcess[]> {
  const found: OneProcess[] = [];
  for (const [index, name] of readdirSync('/proc').entries()) {
    if (index % readAtOnce === readAtOnce - 1) await turn();
    if (!/^\d+$/.test(name)) continue;
    const one = readOne(name);
    if (one) found.push(one);
  }
  return found;
}

function readOne(pid: string): OneProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name is in parentheses and may hold spaces; the state follows it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 22) return undefined;
    return {
      groupId: Number(fields[2]),
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      memoryBytes: Number(fields[21]) * pageBytes,
    };
  } catch {
    // Gone meanwhile.
    return undefined;
  }
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
