import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';

/**
 * Who a process is, beyond its id: ids are used again, an id together with the start time is not.
 */

/** A process as it can be recognised later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The system's own notation of the start time; only good for comparing. */
  readonly startTime: string;
}

const run = promisify(execFile);
const hasProc = process.platform === 'linux';
/** So many processes are looked at before others get their turn; that is about a millisecond. */
const scannedAtOnce = 50;

/** The identity of a running process, or undefined when there is none of this id. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime = await startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether exactly this process still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(identity.pid)) === identity.startTime;
}

/**
 * The processes whose environment holds `name=value`: everything that a process which was started with that mark has
 * started in turn, even where it left the process group. Only on systems with /proc; elsewhere none are found.
 */
export async function processesMarked(name: string, value: string): Promise<ProcessIdentity[]> {
  if (!hasProc) return [];
  const entry = Buffer.from(`\0${name}=${value}\0`);
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const marked: number[] = [];
  for (const [index, pid] of pids.entries()) {
    if (index % scannedAtOnce === scannedAtOnce - 1) await turn();
    if (environmentOf(pid)?.includes(entry)) marked.push(pid);
  }
  return (await Promise.all(marked.map(identify))).filter((identity) => identity !== undefined);
}

/**
 * Read at once and not by threads: these files are in memory, and passing each to a thread and back takes ten times as
 * long as reading it. Begins and ends with a zero byte, so that each variable stands between two.
 */
function environmentOf(pid: number): Buffer | undefined {
  try {
    return Buffer.concat([zero, readFileSync(`/proc/${pid}/environ`), zero]);
  } catch {
    // Gone meanwhile, or somebody else's: not ours in either case.
    return undefined;
  }
}

const zero = Buffer.alloc(1);

async function startTimeOf(pid: number): Promise<string | undefined> {
  if (hasProc) {
    const stat = await readIfAllowed(`/proc/${pid}/stat`);
    // The second field is the program's name in parentheses and may hold spaces; the state and field 22 follow it.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields?.[0] === 'Z' ? undefined : fields?.[19];
  }
  try {
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim() || undefined;
  } catch {
    // ps exits with 1 when there is no such process.
    return undefined;
  }
}

async function readIfAllowed(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    // Gone meanwhile, or somebody else's: not ours in either case.
    return undefined;
  }
}
