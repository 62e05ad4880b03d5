import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pidAt, type RunningSupervisor, type SupervisorKind, untilAnswers } from './target.ts';

/** All in milliseconds. */
export interface StartAndRestarts {
  /** From the start of the supervisor until all services answer. */
  readonly readyMs: number;
  /** From the SIGKILL of a service until another one answers at its port. */
  readonly afterCrashMs: readonly number[];
  /** From asking for a restart until another one answers. */
  readonly askedMs: readonly number[];
}

/** Starts the services, kills half of them one after another, has the other half restarted, and stops all. */
export async function startAndRestart(kind: SupervisorKind, count: number): Promise<StartAndRestarts> {
  return withServices(kind, count, async (running, ports, readyMs) => {
    const afterCrashMs: number[] = [];
    const askedMs: number[] = [];
    for (const [index, port] of ports.entries()) {
      const pid = await untilAnswers(port, undefined);
      const began = performance.now();
      if (index % 2 === 0) process.kill(pid, 'SIGKILL');
      else await running.restart(index);
      await untilAnswers(port, pid);
      (index % 2 === 0 ? afterCrashMs : askedMs).push(performance.now() - began);
    }
    return { readyMs, afterCrashMs, askedMs };
  });
}

/** The processor time that the supervising process takes while all services idle, in percent of a core. */
export async function idlePercent(kind: SupervisorKind, count: number, seconds: number): Promise<number> {
  return withServices(kind, count, (running) => percentOf([running.pid()], seconds));
}

export interface LunaFigures {
  readonly noticedMs: readonly number[];
  readonly reportMs: readonly number[];
}

/** How soon Luna's supervisor notices a death among so many services, and how long its report takes. */
export async function noticeAndReport(kind: SupervisorKind, count: number, times: number): Promise<LunaFigures> {
  return withServices(kind, count, async ({ process: { child } }) => {
    const ask = async (message: object) => {
      child.send(message);
      const [{ ms }] = await once(child, 'message');
      return Number(ms);
    };
    // Its own message that all are ready.
    await once(child, 'message');
    const noticedMs: number[] = [];
    const reportMs: number[] = [];
    for (let index = 0; index < times; index++) {
      noticedMs.push(await ask({ notice: index }));
      reportMs.push(await ask({ report: true }));
    }
    return { noticedMs, reportMs };
  });
}

/** What these processes take over so many seconds, in percent of a core. */
export async function percentOf(pids: readonly number[], seconds: number): Promise<number> {
  const taken = () => pids.reduce((sum, pid) => sum + ticksOf(pid), 0);
  // What is left of starting is no part of idling.
  await sleep(5_000);
  const before = taken();
  await sleep(seconds * 1_000);
  return (taken() - before) / seconds;
}

/** Processor time of one process, in hundredths of a second. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function withServices<Value>(
  kind: SupervisorKind,
  count: number,
  work: (running: RunningSupervisor, ports: readonly number[], readyMs: number) => Promise<Value>,
): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-bench-'));
  const ports = await freePorts(count);
  const began = performance.now();
  const running = await kind.start(folder, ports);
  try {
    for (const port of ports) await untilAnswers(port, undefined);
    return await work(running, ports, performance.now() - began);
  } catch (thrown) {
    throw new Error(`${kind.name}: ${running.process.lastWords()}`, { cause: thrown });
  } finally {
    await running.stop();
    for (const port of ports) {
      const left = await pidAt(port);
      if (left !== undefined) process.kill(left, 'SIGKILL');
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ports that are free now, none of them twice. */
async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(probes.map((probe) => once(probe, 'listening')));
  const ports = probes
    .map((probe) => probe.address())
    .map((at) => (at !== null && typeof at === 'object' ? at.port : 0));
  await Promise.all(probes.map((probe) => new Promise((settle) => probe.close(settle))));
  return ports;
}
