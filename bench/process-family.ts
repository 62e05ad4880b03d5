import { readdirSync, readFileSync } from 'node:fs';

/** What a process and all its descendants take. Not a number where the system has no /proc. */

/** Ticks of the processor clock in /proc, in microseconds: 100 a second on every Linux that Node runs on. */
const tickMicroseconds = 10_000;

/** Resident memory in bytes; pages that the processes share count once for each. */
export function residentBytes(pid: number): number {
  return sumOf(pid, (member) => {
    const kilobytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(readIfThere(`/proc/${member}/status`) ?? '')?.[1];
    return Number(kilobytes ?? 0) * 1024;
  });
}

/** Processor time so far, in microseconds, in user and kernel mode. */
export function processorMicroseconds(pid: number): number {
  return sumOf(pid, (member) => {
    const fields = statFields(member);
    return (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) * tickMicroseconds;
  });
}

function sumOf(pid: number, figure: (member: number) => number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const parent = /^[0-9]+$/.test(entry) ? statFields(Number(entry))?.[1] : undefined;
    if (parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const family = [...parents.keys()].filter((candidate) => descendsFrom(candidate, pid, parents));
  return family.reduce((sum, member) => sum + figure(member), 0);
}

/** The fields of /proc/PID/stat from the state on. The command before them stands in parentheses and may hold anything. */
function statFields(pid: number): string[] | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function descendsFrom(candidate: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = candidate; at !== undefined && at > 0; at = parents.get(at)) {
    if (at === ancestor) return true;
  }
  return false;
}

/** Processes come and go while we look. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
