import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/fixtures/eventually.ts';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { startChild } from './child.ts';
import { lockHolder, takeLock } from './home-lock.ts';
import { identify } from './process-identity.ts';

const takerFile = fileURLToPath(new URL('../../test/fixtures/lock-taker.ts', import.meta.url));
const isGone = async (pid: number) => (await identify(pid)) === undefined;

interface Taker {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly lines: string[];
  go(): void;
}

/** A process that takes the lock once it is told to. */
async function taker(file: string): Promise<Taker> {
  const child = spawn(process.execPath, [takerFile, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await eventually(() => lines).toEqual(['ready']);
  return { process: child, pid: child.pid ?? 0, lines, go: () => void child.stdin?.write('go\n') };
}

/** What a process that was killed has left: its lock, with the mark of its children. */
const staleLock = (owner: string) => JSON.stringify({ pid: process.pid, startTime: 'long ago', owner });

test('a second process is refused, and told who holds the lock', async () => {
  const file = join(await temporaryFolder(), 'deep', 'lock.json');
  const holder = await taker(file);
  holder.go();
  await eventually(() => holder.lines.at(-1)).toBe('taken');
  expect(await lockHolder(file)).toEqual({ pid: holder.pid });
  await expect(takeLock(file)).rejects.toMatchObject({
    code: 'already_running',
    message: expect.stringContaining(`as process ${holder.pid}.`),
    details: { pid: holder.pid },
  });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('what a killed holder left is cleared', async () => {
  const file = join(await temporaryFolder(), 'lock.json');
  const holder = await taker(file);
  holder.go();
  await eventually(() => holder.lines.at(-1)).toBe('taken');
  holder.process.kill('SIGKILL');
  await once(holder.process, 'exit');
  expect(await lockHolder(file)).toBeUndefined();
  const lock = await takeLock(file);
  expect(await lockHolder(file)).toEqual({ pid: process.pid });
  await lock.release();
  await lock.release();
});

test('of processes that take it at one time exactly one wins', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'lock.json');
  await writeFile(file, staleLock('crashed'));
  const takers = await Promise.all(Array.from({ length: 4 }, () => taker(file)));
  for (const one of takers) one.go();
  for (const one of takers) await eventually(() => one.lines.length).toBe(2);
  const winners = takers.filter(({ lines }) => lines[1] === 'taken');
  expect(winners).toHaveLength(1);
  for (const { lines } of takers) expect(['taken', `already_running ${winners[0]?.pid}`]).toContain(lines[1]);
  expect(await readdir(folder)).toEqual(['lock.json']);
});

test('of many that meet a stale lock exactly one wins, every time', async () => {
  const folder = await temporaryFolder();
  for (let round = 0; round < 40; round++) {
    const file = join(folder, `${round}.json`);
    await writeFile(file, round % 4 === 0 ? 'garbage' : staleLock(`crashed-${round}`));
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(file)));
    const winners = takers.filter(({ status }) => status === 'fulfilled');
    expect(winners, `round ${round}`).toHaveLength(1);
    for (const one of takers) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'already_running' });
      else expect(JSON.parse(await readFile(file, 'utf8')).owner).toBe(one.value.owner);
    }
  }
  expect(await readdir(folder)).toHaveLength(40);
});

test('one that died while it cleared a lock does not keep the others out', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'lock.json');
  await writeFile(file, staleLock('crashed'));
  await writeFile(`${file}.clearing`, staleLock('crashed while clearing'));
  await (await takeLock(file)).release();
  expect(await readdir(folder)).toEqual([]);
});

test('what the crashed one had started is ended, wherever it went, and nothing else', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'lock.json');
  const owner = `crashed-${process.pid}-${Date.now()}`;
  const idle = 'setInterval(() => {}, 1000)';
  const escaping = `require('child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); ${idle}; process.send("up")'],
      { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
      .once('message', function () { console.log(this.pid); }); ${idle}`;
  const start = (script: string, mark: string) =>
    startChild({ command: process.execPath, args: ['-e', script], cwd: folder, owner: mark });
  const left = await start(escaping, owner);
  const stranger = await start(idle, `${owner}-other`);
  onTestFinished(() => stranger.stop(0));
  const [line] = await once(left.stdout, 'data');
  const escaped = Number(String(line));
  onTestFinished(async () => {
    if (!(await isGone(escaped))) process.kill(escaped, 'SIGKILL');
  });

  await writeFile(file, staleLock(owner));
  const lock = await takeLock(file);
  // It ignores SIGTERM and has a group of its own.
  await eventually(() => isGone(escaped)).toBe(true);
  await left.exited;
  expect(await isGone(stranger.pid)).toBe(false);
  await lock.release();
});

test('the release of a lock that is held by another by now does nothing', async () => {
  const file = join(await temporaryFolder(), 'lock.json');
  const lock = await takeLock(file);
  await writeFile(file, staleLock('another'));
  await lock.release();
  expect(JSON.parse(await readFile(file, 'utf8')).owner).toBe('another');
});
