import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { childEnvironment, startChild } from './child.ts';
import { lockHolder, takeLock } from './home-lock.ts';
import { LineTail } from './line-tail.ts';
import { identify, isRunning, processesMarked } from './process-identity.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-supervisor-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const node = (script: string, more = {}) =>
  startChild({ command: process.execPath, args: ['-e', script], cwd: tmpdir(), ...more });
const runs = (pid: number) => identify(pid).then((identity) => identity !== undefined);

describe('a child', () => {
  test('gets the common variables and what was asked for, and nothing else', async () => {
    process.env.LUNA_TEST_CANARY = 'secret';
    const child = await node('console.log(JSON.stringify(process.env))', { env: { ASKED: 'yes' }, owner: 'me' });
    const [output] = await once(child.stdout, 'data');
    delete process.env.LUNA_TEST_CANARY;
    const env = JSON.parse(String(output));
    expect(env).toMatchObject({ ASKED: 'yes', LUNA_OWNER: 'me', HOME: process.env.HOME });
    expect(JSON.stringify(env)).not.toContain('secret');
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  test('is found in node_modules/.bin of its folder and above', () => {
    expect(childEnvironment({ cwd: '/a/b' }).PATH?.split(':').slice(0, 3)).toEqual([
      '/a/b/node_modules/.bin',
      '/a/node_modules/.bin',
      '/node_modules/.bin',
    ]);
  });

  test('that does not exist is named', async () => {
    await expect(startChild({ command: 'no-such-program', cwd: tmpdir() })).rejects.toMatchObject({
      code: 'command_not_found',
      message: expect.stringContaining('"no-such-program"'),
    });
    await expect(startChild({ command: './no/such', cwd: tmpdir() })).rejects.toMatchObject({
      code: 'command_not_found',
    });
  });

  test('that ignores SIGTERM is killed after the grace period, with its own children', async () => {
    const child = await node(`process.on('SIGTERM', () => {});
      const grandchild = require('child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)']);
      console.log(grandchild.pid); setInterval(() => {}, 1000);`);
    const [line] = await once(child.stdout, 'data');
    const grandchild = Number(String(line));
    expect(await runs(grandchild)).toBe(true);
    await child.stop(300);
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(await runs(grandchild)).toBe(false);
  });

  test('is recognised by its mark, also in what it started in a group of its own', async () => {
    const owner = `test-${process.pid}-${Date.now()}`;
    const child = await node(
      `const other = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
      console.log(other.pid); setInterval(() => {}, 1000);`,
      { owner },
    );
    const [line] = await once(child.stdout, 'data');
    const marked = await processesMarked('LUNA_OWNER', owner);
    expect(marked.map(({ pid }) => pid).sort()).toEqual([child.pid, Number(String(line))].sort());
    await child.stop(100);
    process.kill(Number(String(line)), 'SIGKILL');
    expect(await processesMarked('LUNA_OWNER', `${owner}-other`)).toEqual([]);
  });

  test.runIf(process.platform === 'linux')('is found by its mark also while it is given another program', async () => {
    const mark = randomUUID();
    const child = await startChild({
      command: 'sh',
      args: ['-c', 'export SCRIPT; exec sh -c "$SCRIPT"'],
      env: { SCRIPT: 'exec sh -c "$SCRIPT"', TEST_MARK: mark },
      cwd: tmpdir(),
    });
    onTestFinished(() => child.stop(0));
    for (let looks = 0; looks < 300; looks++)
      expect((await processesMarked('TEST_MARK', mark)).map(({ pid }) => pid)).toEqual([child.pid]);
  });
});

describe('the lock of a home', () => {
  test('is held by one at a time, and free again after its release', async () => {
    const file = join(await temporaryFolder(), 'lock.json');
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(file)));
    const winners = takers.filter((taker) => taker.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const taker of takers) {
      if (taker.status === 'rejected')
        expect(taker.reason).toMatchObject({ code: 'already_running', details: { pid: process.pid } });
    }
    expect(await lockHolder(file)).toEqual({ pid: process.pid });
    await winners[0]?.value.release();
    expect(await lockHolder(file)).toBeUndefined();
    await (await takeLock(file)).release();
  });

  test('that a crash left is cleared, what it marked is ended, and nobody else', async () => {
    const file = join(await temporaryFolder(), 'lock.json');
    const left = await node('setInterval(() => {}, 1000)', { owner: 'crashed-owner-1' });
    const stranger = await node('setInterval(() => {}, 1000)', { owner: 'other-owner' });
    onTestFinished(() => stranger.stop(0));
    // A living process of this id, but not the one that took the lock: the id was used again.
    await writeFile(file, JSON.stringify({ pid: stranger.pid, startTime: 'long ago', owner: 'crashed-owner-1' }));
    const lock = await takeLock(file);
    await left.exited;
    expect(await runs(stranger.pid)).toBe(true);
    await lock.release();
  });

  test.each(['', '{', '{"pid":"x"}'])('with the content %j is no hindrance', async (content) => {
    const file = join(await temporaryFolder(), 'lock.json');
    await writeFile(file, content);
    const lock = await takeLock(file);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid, owner: lock.owner });
    await lock.release();
  });
});

test('a process is not another one that has its id', async () => {
  const self = await identify(process.pid);
  expect(self && (await isRunning(self))).toBe(true);
  expect(await isRunning({ pid: process.pid, startTime: '1' })).toBe(false);
  expect(await identify(2 ** 22 + 1)).toBeUndefined();
});

test('the tail of a stream stays small, whatever comes', async () => {
  const stream = new PassThrough();
  const tail = new LineTail(stream, { maxLines: 3, maxLineLength: 10 });
  stream.write('one\r\ntwo\nthree\nfour\n');
  stream.write('x'.repeat(1_000_000));
  stream.end('\nh\u00e4lf');
  await once(stream, 'end');
  expect(tail.lines()).toEqual(['four', 'x'.repeat(10), 'hälf']);
});
