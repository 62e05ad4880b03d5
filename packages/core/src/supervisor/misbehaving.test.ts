import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { processesMarked } from './process-identity.ts';
import type { ServiceDefinition } from './service.ts';
import { Supervisor } from './supervisor.ts';

/** Programs that do what programs should not, and a wall clock that somebody sets. */

const node = process.execPath;
const idle = 'setInterval(() => {}, 1000)';
const hour = 3_600_000;

async function supervisor(): Promise<{ supervisor: Supervisor; owner: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-supervisor-'));
  const owner = randomUUID();
  const made = await Supervisor.open({ logsFolder: folder, stateFile: join(folder, 'state.json'), owner });
  onTestFinished(async () => {
    await made.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { supervisor: made, owner };
}

const program = (code: string, more: Partial<ServiceDefinition> = {}): ServiceDefinition => ({
  name: 'it',
  command: node,
  args: ['-e', code],
  cwd: tmpdir(),
  ...more,
});

/** A ceiling for what never comes. */
const soon = { timeout: 30_000 };

async function says(made: Supervisor, text: string): Promise<void> {
  await vi.waitFor(async () => expect((await made.log('it').tail(20)).join('\n')).toContain(text), soon);
}

/** Whoever waited for it would wait in vain: the test has a limit. */
const patient = { stopGraceMs: hour };

describe('a program', () => {
  it('that forks twice and goes is no program to keep: what it left ends before it is started again', async () => {
    const { supervisor: made, owner } = await supervisor();
    const again = `require('child_process').spawn(process.execPath, ['-e', '${idle}'], { detached: true, stdio: 'ignore' }).unref()`;
    const fork = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(again)}], { detached: true, stdio: 'ignore' }).unref()`;
    const restartPolicy = { delaysMs: [0, 20], giveUpAfter: 3, resetAfterMs: hour };
    await made.apply([program(fork, { restartPolicy, stopGraceMs: 500 })]);
    await vi.waitFor(() => expect(made.state('it')?.status).toBe('failed'), soon);
    expect(made.state('it')?.reason).toContain('ended with exit code 0');
    expect(await processesMarked('LUNA_OWNER', owner)).toEqual([]);
  });

  it('that closes its output runs on, and is stopped like any other', async () => {
    const { supervisor: made } = await supervisor();
    await made.apply([
      program(`console.log('bye'); require('fs').closeSync(1); require('fs').closeSync(2); ${idle}`, patient),
    ]);
    await says(made, 'bye');
    const { pid } = made.state('it') ?? {};
    await made.stop('it');
    expect(() => process.kill(pid ?? 0, 0)).toThrow();
  });

  it('that never asks about its dead children is stopped as soon as it has ended itself', async () => {
    const { supervisor: made } = await supervisor();
    const script = 'sleep 0 & sleep 0 & echo ready; exec sleep 1000';
    await made.apply([{ name: 'it', command: 'sh', args: ['-c', script], cwd: tmpdir(), ...patient }]);
    await says(made, 'ready');
    await made.stop('it');
  });

  it('that takes up nothing of its input, and prints without line ends, costs a bounded log line', async () => {
    const { supervisor: made } = await supervisor();
    await made.apply([program(`process.stdout.write('y'.repeat(3_000_000) + '\\nend\\n'); ${idle}`)]);
    await says(made, 'end');
    expect(made.state('it')?.status).toBe('running');
  });
});

describe('a wall clock that is set', () => {
  afterEach(() => void vi.useRealTimers());

  function setBy(ms: number): void {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
  }

  it('forward does not kill a program that is about to end by itself', async () => {
    const { supervisor: made } = await supervisor();
    const slow = `process.on('SIGTERM', () => setTimeout(() => { console.log('tidied'); process.exit(0) }, 400)); console.log('up'); ${idle}`;
    await made.apply([program(slow)]);
    await says(made, 'up');
    const stopped = made.stop('it');
    setBy(hour);
    await stopped;
    await says(made, 'tidied');
  });

  it('back does not spare one that does not listen', async () => {
    const { supervisor: made } = await supervisor();
    await made.apply([program(`process.on('SIGTERM', () => {}); console.log('up'); ${idle}`, { stopGraceMs: 300 })]);
    await says(made, 'up');
    const stopped = made.stop('it');
    setBy(-hour);
    // By the clock on the wall it would wait for an hour.
    await stopped;
  });

  it('forward does not make one late that starts, and does not forgive one that keeps dying', async () => {
    const { supervisor: made } = await supervisor();
    const health = { kind: 'command', command: node, args: ['-e', 'process.exit(1)'] } as const;
    await made.apply([program(idle, { health })]);
    setBy(hour);
    await vi.waitFor(() => expect(made.state('it')?.lastCheck?.problem).toBeDefined(), soon);
    expect(made.state('it')?.status).toBe('starting');
    const dies = `console.log('up'); setTimeout(() => process.exit(1), 50)`;
    const restartPolicy = { delaysMs: [20], giveUpAfter: 3, resetAfterMs: 60_000 };
    await made.apply([program(dies, { restartPolicy })]);
    for (const ms of [hour, 2 * hour, 3 * hour]) setBy(ms);
    await vi.waitFor(() => expect(made.state('it')?.status).toBe('failed'), soon);
  });
});
