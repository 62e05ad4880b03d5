import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Everything that the bench starts, and its certain end. */

const keptOutput = 4_000;
const running = new Set<Launched>();

export interface LaunchOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Opens a channel for messages to and from the process. */
  readonly ipc?: boolean;
  /** Writes a CPU profile of the process, and of those of Node that it starts, into this folder. */
  readonly profile?: string;
}

/** A process of Node in its own process group. */
export class Launched {
  readonly name: string;
  readonly child: ChildProcess;
  #output = '';

  constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.child = child;
    const keep = (text: Buffer) => {
      this.#output = (this.#output + text).slice(-keptOutput);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (error) => keep(Buffer.from(error.message)));
    running.add(this);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`The ${this.name} did not start: ${this.lastWords()}`);
    return this.child.pid;
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined;
  }

  /** The end of what it wrote, for error messages. */
  lastWords(): string {
    return this.#output.trim() || `no output (exit code ${this.child.exitCode}, signal ${this.child.signalCode})`;
  }

  /** Asks it to end, and kills its whole group when it does not within `limitMs` milliseconds. */
  async stop(limitMs = 5_000): Promise<void> {
    if (!this.ended) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await Promise.race([exit, sleep(limitMs, undefined, { ref: false })]);
    }
    this.kill();
  }

  /** Kills what is left of its group, at once. */
  kill(): void {
    running.delete(this);
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch (thrown) {
      // ESRCH: the group is gone, which is what we want.
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
    }
  }
}

/** Starts a script under the Node that runs the bench. */
export function launch(name: string, args: readonly string[], options: LaunchOptions = {}): Launched {
  const child = spawn(process.execPath, args, {
    detached: true,
    env: {
      ...process.env,
      ...options.env,
      ...(options.profile !== undefined && { NODE_OPTIONS: profiling(options.profile) }),
    },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
  });
  return new Launched(name, child);
}

function profiling(folder: string): string {
  return `--cpu-prof --cpu-prof-dir="${folder}"`;
}

/** Ends everything that still runs. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop()));
}

// The last line of defence: whatever ends the bench, its processes end with it.
process.on('exit', () => {
  for (const one of running) one.kill();
});

/** A port on the loopback interface that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}

/** Waits for the first message of a process. Throws when it ends before, or after `limitMs` milliseconds. */
export async function firstMessage(one: Launched, limitMs: number): Promise<unknown> {
  const message = once(one.child, 'message').then(([first]) => first as unknown);
  const exit = once(one.child, 'exit').then(() => {
    throw new Error(`The ${one.name} ended: ${one.lastWords()}`);
  });
  const late = sleep(limitMs, undefined, { ref: false }).then(() => {
    throw new Error(`The ${one.name} said nothing in ${limitMs} ms.`);
  });
  return Promise.race([message, exit, late]);
}
