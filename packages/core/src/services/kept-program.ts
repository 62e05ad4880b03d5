import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError } from '../errors/index.ts';
import {
  type Child,
  type ChildExit,
  defaultGraceMs,
  identify,
  isRunning,
  type ProcessIdentity,
  stopGroup,
} from '../supervisor/index.ts';
import { startCommand } from './command.ts';
import { readLines } from './output-lines.ts';
import type { ServiceContext } from './service-context.ts';

/** The program of a service with `run`: started in a process group of its own, and ended with all it has started. */
export class KeptProgram {
  readonly #child: Child;
  readonly #context: ServiceContext;

  private constructor(child: Child, context: ServiceContext) {
    this.#child = child;
    this.#context = context;
  }

  static async start(context: ServiceContext): Promise<KeptProgram> {
    const command = context.command('run');
    if (!command) throw new LunaError('internal', 'There is no program to keep running.');
    context.log.write('── run');
    const child = await startCommand(command, context.commandOptions(true));
    for (const stream of [child.stdout, child.stderr]) void readLines(stream, (line) => context.log.write(line));
    return new KeptProgram(child, context);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get exited(): Promise<ChildExit> {
    return this.#child.exited;
  }

  /**
   * Ends it as its definition says: the signal to the program itself, then SIGTERM and SIGKILL to its group. It gets no
   * longer than the limit in milliseconds.
   */
  async stop(limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { stop_signal, stop_timeout } = this.#context.definition;
    await endGently(this.pid, this.exited, stop_signal, Math.min(limitMs, stop_timeout * 1000));
  }
}

/** Ends what an earlier Luna has started and could not end, if exactly that still runs. */
export async function endLeftover(left: ProcessIdentity, stopSignal: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(left))) return;
  const gone = (async () => {
    for (const deadline = performance.now() + defaultGraceMs; performance.now() < deadline && (await isRunning(left)); )
      await sleep(50);
  })();
  await endGently(left.pid, gone, stopSignal, defaultGraceMs);
}

export function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  return identify(pid);
}

async function endGently(
  pid: number,
  gone: Promise<unknown>,
  stopSignal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  const over = new AbortController();
  try {
    process.kill(pid, stopSignal);
    await Promise.race([gone, sleep(graceMs, undefined, { signal: over.signal }).catch(() => undefined)]);
  } catch {
    // It has ended by itself; what it has started may not.
  } finally {
    over.abort();
  }
  await stopGroup(pid, 1_000);
}
