import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isFree } from './ports.ts';
import { isRunning, processesMarked } from './process-identity.ts';
import type { ServiceDefinition } from './service.ts';
import { type ServiceReport, Supervisor, type SupervisorOptions } from './supervisor.ts';

const node = process.execPath;
const eventually = <Value>(check: () => Value) => vi.waitFor(check, { timeout: 30_000, interval: 10 });

async function supervisorIn(options: Partial<SupervisorOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'luna-supervisor-'));
  const supervisor = await Supervisor.open({ logsFolder: folder, stateFile: join(folder, 'state.json'), ...options });
  onTestFinished(async () => {
    await supervisor.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { supervisor, folder };
}

function program(name: string, code: string, more: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return { name, command: node, args: ['-e', code], cwd: tmpdir(), stopGraceMs: 2_000, ...more };
}

async function only(supervisor: Supervisor): Promise<ServiceReport> {
  const [report] = await supervisor.report();
  if (!report) throw new Error('no service');
  return report;
}

/** Resolves when the only service is in this state. */
function becomes(supervisor: Supervisor, status: ServiceReport['status']) {
  return eventually(async () => expect((await only(supervisor)).status).toBe(status));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

const quick = { delaysMs: [0, 20], giveUpAfter: 3, resetAfterMs: 60_000 };

describe('a supervisor', () => {
  it('waits until a program answers, also when that takes a while', async () => {
    const { supervisor, folder } = await supervisorIn();
    const port = await freePort();
    const late = `setTimeout(() => require('http').createServer((q, a) => a.end('hello')).listen(${port}), 300)`;
    await supervisor.apply([
      program('web', late, { port, health: { kind: 'http', url: `http://127.0.0.1:${port}/` } }),
    ]);
    expect(supervisor.state('web')?.status).toBe('starting');
    await supervisor.settled();
    const report = await only(supervisor);
    expect(report).toMatchObject({ name: 'web', status: 'running', port, restarts: 0 });
    expect(report.memoryBytes).toBeGreaterThan(1_000_000);
    const state = JSON.parse(await readFile(join(folder, 'state.json'), 'utf8'));
    expect(state.services.web).toMatchObject({ pid: report.pid, port, startTime: expect.any(String) });
  });

  it('starts a program again at once after it died, and says so', async () => {
    const { supervisor } = await supervisorIn();
    await supervisor.apply([program('clock', 'console.log("up"); setInterval(() => {}, 1000)')]);
    const first = await only(supervisor);
    process.kill(first.pid ?? 0, 'SIGKILL');
    await eventually(async () => {
      const now = await only(supervisor);
      expect(now).toMatchObject({ status: 'running', restarts: 1 });
      expect(now.pid).not.toBe(first.pid);
    });
    expect((await supervisor.log('clock').tail(50)).join('\n')).toMatch(/was ended by SIGKILL/);
  });

  it('gives up on one that dies each time, and shows its last words', async () => {
    const { supervisor } = await supervisorIn();
    await supervisor.apply([program('broken', 'console.error("no disk"); process.exit(3)', { restartPolicy: quick })]);
    await becomes(supervisor, 'failed');
    const report = await only(supervisor);
    expect(report.reason).toBe('It ended with exit code 3. It was tried 3 times.');
    expect(report.lastLines).toEqual(['no disk']);
    expect(report.restarts).toBe(2);
  });

  it('says which program is missing', async () => {
    const { supervisor } = await supervisorIn();
    await supervisor.apply([{ name: 'gone', command: 'no-such-program', cwd: tmpdir(), restartPolicy: quick }]);
    await becomes(supervisor, 'failed');
    expect((await only(supervisor)).reason).toMatch(/There is no program "no-such-program"/);
  });

  it('kills what does not listen to SIGTERM, and everything that it started', async () => {
    const owner = randomUUID();
    const { supervisor } = await supervisorIn({ owner });
    const stubborn = `process.on('SIGTERM', () => {});
      const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      const away = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
      setInterval(() => {}, 1000); console.log('ready ' + child.pid + ' ' + away.pid)`;
    await supervisor.apply([program('stubborn', stubborn, { stopGraceMs: 200 })]);
    await eventually(async () => expect((await supervisor.log('stubborn').tail(5)).join()).toMatch(/ready/));
    expect(await processesMarked('LUNA_OWNER', owner)).toHaveLength(3);
    await supervisor.stop('stubborn');
    expect(supervisor.state('stubborn')?.status).toBe('stopped');
    expect(await processesMarked('LUNA_OWNER', owner)).toEqual([]);
  });

  it('restarts one that runs and no longer answers', async () => {
    const { supervisor } = await supervisorIn();
    const port = await freePort();
    const falters = `let asked = 0; require('http').createServer((q, a) => { a.statusCode = ++asked > 2 ? 500 : 200; a.end() }).listen(${port})`;
    const healthTimes = { intervalMs: 20, failuresBeforeRestart: 2 };
    const health = { kind: 'http', url: `http://127.0.0.1:${port}/` } as const;
    await supervisor.apply([program('falters', falters, { health, healthTimes, restartPolicy: quick })]);
    await eventually(async () => expect((await only(supervisor)).restarts).toBeGreaterThan(0));
    const log = (await supervisor.log('falters').tail(50)).join('\n');
    expect(log).toMatch(/unhealthy: http:\/\/127.0.0.1:\d+\/ answered with 500/);
  });

  it('asks a command whether a program is well', async () => {
    const { supervisor } = await supervisorIn();
    const health = { kind: 'command', command: node, args: ['-e', 'console.error("cold"); process.exit(1)'] } as const;
    const healthTimes = { intervalMs: 10_000, startLimitMs: 2_000 };
    await supervisor.apply([program('asked', 'setInterval(() => {}, 1000)', { health, healthTimes })]);
    await becomes(supervisor, 'unhealthy');
    expect((await only(supervisor)).reason).toMatch(/not ready within 2 s: .*ended with exit code 1; cold/);
  });

  it('changes only what is defined otherwise', async () => {
    const { supervisor } = await supervisorIn();
    const idle = 'setInterval(() => {}, 1000)';
    await supervisor.apply([program('a', idle), program('b', idle), program('c', idle)]);
    const pids = async () => Object.fromEntries((await supervisor.report()).map(({ name, pid }) => [name, pid]));
    const before = await pids();
    await supervisor.apply([program('a', idle), program('b', `${idle};1`), program('d', idle)]);
    const after = await pids();
    expect(Object.keys(after)).toEqual(['a', 'b', 'd']);
    expect(after.a).toBe(before.a);
    expect(after.b).not.toBe(before.b);
  });

  it('leaves stopped what somebody stopped, until it is started', async () => {
    const { supervisor } = await supervisorIn();
    const idle = [program('idle', 'setInterval(() => {}, 1000)')];
    await supervisor.apply(idle);
    await supervisor.stop('idle');
    await supervisor.apply(idle);
    expect(supervisor.state('idle')?.status).toBe('stopped');
    await supervisor.start('idle');
    expect(supervisor.state('idle')?.status).toBe('running');
  });

  it('bounds the log of one that floods it, and stays able to stop it', async () => {
    const { supervisor, folder } = await supervisorIn({ logs: { maxBytes: 100_000, keep: 2 } });
    const flood = 'const line = "x".repeat(1000) + "\\n"; const go = () => process.stdout.write(line, go); go()';
    await supervisor.apply([program('flood', flood)]);
    await eventually(() => readFile(join(folder, 'flood.log.2')));
    await supervisor.stop('flood');
    // What was under way to the disk is there when the log has been closed.
    await supervisor.close();
    for (const name of ['flood.log', 'flood.log.1', 'flood.log.2'])
      expect((await readFile(join(folder, name))).length).toBeLessThan(400_000);
    await expect(readFile(join(folder, 'flood.log.3'))).rejects.toThrow();
  });

  it('ends what an earlier one has left, and nobody else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'luna-supervisor-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { spawn } = await import('node:child_process');
    const first = spawn(
      node,
      [
        '--input-type=module',
        '-e',
        `import { Supervisor } from ${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)};
         const supervisor = await Supervisor.open({ logsFolder: ${JSON.stringify(folder)}, stateFile: ${JSON.stringify(join(folder, 'state.json'))} });
         await supervisor.apply([{ name: 'left', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], cwd: '/tmp' }]);
         await supervisor.describe({});
         console.log('ready');`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(first.stdout, 'data');
    await expect(Supervisor.open({ logsFolder: folder, stateFile: join(folder, 'state.json') })).rejects.toMatchObject({
      code: 'already_running',
    });
    const { left } = JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')).services;
    first.kill('SIGKILL');
    await once(first, 'exit');
    expect(await isRunning(left)).toBe(true);
    const second = await Supervisor.open({ logsFolder: folder, stateFile: join(folder, 'state.json') });
    expect(await isRunning(left)).toBe(false);
    await second.close();
  });

  it('refuses names that would lead out of the folder of logs', async () => {
    const { supervisor } = await supervisorIn();
    for (const name of ['../x', 'a/b', '', '.hidden'])
      expect(() => supervisor.apply([program(name, '')])).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    await expect(supervisor.stop('nobody')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a port', () => {
  it('is not free while somebody listens on it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    expect(await isFree(port)).toBe(false);
    server.close();
    await once(server, 'close');
    expect(await isFree(port)).toBe(true);
  });
});
