import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
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
/** So many processes are looked at before others get their turn; that is two milliseconds. */
const scannedAtOnce = 200;
/** Where processes are made without end, looking has one. */
const mostLooks = 20;
/** Nearly every environment is smaller, in bytes. */
const environmentRoom = 64 * 1024;
/** What is read of an environment without variables: the zero bytes around it. */
const emptyEnvironment = 2;
/** The system's flag of its own threads (PF_KTHREAD), which have no environment. */
const systemThread = 0x00200000;

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
  const entry = `\0${name}=${value}\0`;
  const room = Buffer.alloc(environmentRoom);
  const marked: number[] = [];
  const seen = new Set<string>(['self', String(process.pid)]);
  // Whoever is looked at may have started another one just before, and be gone: until there is nobody new.
  for (let looks = 0; looks < mostLooks; looks++) {
    const fresh = unseen(seen);
    if (fresh.length === 0) break;
    const between: number[] = [];
    for (const [index, pid] of fresh.entries()) {
      const environment = environmentOf(pid, room);
      if (environment?.includes(entry)) marked.push(pid);
      else if (environment && environment.length <= emptyEnvironment && isBetweenPrograms(pid)) between.push(pid);
      if (index % scannedAtOnce === scannedAtOnce - 1) await turn();
    }
    for (const pid of between) seen.delete(String(pid));
    if (between.length > 0 && between.length === fresh.length) await sleep(1);
  }
  return (await Promise.all(marked.map(identify))).filter((identity) => identity !== undefined);
}

/** The processes that are not in the set, which takes them in. */
function unseen(seen: Set<string>): number[] {
  const pids: number[] = [];
  for (const folder of readdirSync('/proc')) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    const pid = Number(folder);
    if (Number.isInteger(pid)) pids.push(pid);
  }
  return pids;
}

/** Whether a process of the group runs; one that is dead and that nobody has asked about does not. */
export function livesInGroup(groupId: number): boolean {
  if (!hasProc) return true;
  return readdirSync('/proc').some((folder) => {
    if (!/^\d+$/.test(folder)) return false;
    try {
      const [state, , group] = fieldsOf(readFileSync(`/proc/${folder}/stat`, 'utf8'));
      return Number(group) === groupId && state !== 'Z' && state !== 'X';
    } catch {
      // Gone meanwhile.
      return false;
    }
  });
}

/**
 * The environment of a process between two zero bytes, so that each variable stands between two; good until the next call
 * with this room. Read at once and not by threads: it is in memory, and handing it to a thread takes longer than that.
 */
function environmentOf(pid: number, room: Buffer): Buffer | undefined {
  const file = `/proc/${pid}/environ`;
  try {
    const handle = openSync(file, 'r');
    try {
      const length = readSync(handle, room, 1, room.length - 2, null);
      if (length === room.length - 2) return Buffer.concat([Buffer.alloc(1), readFileSync(file), Buffer.alloc(1)]);
      room[length + 1] = 0;
      return room.subarray(0, length + 2);
    } finally {
      closeSync(handle);
    }
  } catch {
    // Gone meanwhile, or somebody else's: not ours in either case.
    return undefined;
  }
}

/**
 * Whether a process that shows no environment is just being given its program (execve): the former one's environment has
 * gone then, and the new one's is not in its place yet; arguments neither.
 */
function isBetweenPrograms(pid: number): boolean {
  try {
    // One that has arguments and still no environment was given none; otherwise it has its program by now.
    const hasProgram = readFileSync(`/proc/${pid}/cmdline`).length > 0;
    if (hasProgram) return readFileSync(`/proc/${pid}/environ`).length > 0;
    const fields = fieldsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const isDead = fields[0] === 'Z' || fields[0] === 'X';
    return !isDead && (Number(fields[6]) & systemThread) === 0;
  } catch {
    // Gone meanwhile.
    return false;
  }
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  if (hasProc) {
    const stat = await readIfAllowed(`/proc/${pid}/stat`);
    const fields = stat === undefined ? [] : fieldsOf(stat);
    return fields[0] === 'Z' ? undefined : fields[19];
  }
  try {
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim() || undefined;
  } catch {
    // ps exits with 1 when there is no such process.
    return undefined;
  }
}

/** The fields from the third on, the state. The second is the program's name in parentheses and may hold spaces. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function readIfAllowed(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    // Gone meanwhile, or somebody else's: not ours in either case.
    return undefined;
  }
}
