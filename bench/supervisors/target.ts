import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Launched } from '../processes.ts';

/** A supervisor to be measured. */
export interface SupervisorKind {
  readonly name: string;
  /** Why it cannot be measured here, where that is so. */
  missing(): string | undefined;
  /** Starts it in this empty folder, with a service for each port; returns at once. */
  start(folder: string, ports: readonly number[]): Promise<RunningSupervisor>;
}

export interface RunningSupervisor {
  readonly process: Launched;
  /** The pid of the process that supervises. */
  pid(): number;
  /** Has the service of this number ended and started again; settles as soon as that was asked for. */
  restart(index: number): Promise<void>;
  stop(): Promise<void>;
}

export const python = '/usr/bin/python3';

/** The command line of a service: a few milliseconds to start, so that what is measured is the supervisor. */
export const serviceArgs = (port: number) => [
  '-S',
  '-E',
  fileURLToPath(new URL('service.py', import.meta.url)),
  String(port),
];

/** The pid that listens on a port now; undefined when nobody does. */
export async function pidAt(port: number): Promise<number | undefined> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  await new Promise((settle) => socket.once('close', settle));
  return text === '' ? undefined : Number(text);
}

/** Waits until somebody else than before listens on a port, and gives the pid. Throws after `limitMs` milliseconds. */
export async function untilAnswers(port: number, former: number | undefined, limitMs = 30_000): Promise<number> {
  const end = performance.now() + limitMs;
  for (;;) {
    const pid = await pidAt(port);
    if (pid !== undefined && pid !== former) return pid;
    if (performance.now() > end) throw new Error(`Nobody answers at port ${port}.`);
    await sleep(1);
  }
}
