import { execFileSync } from 'node:child_process';
import { appendFile, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { fixedTool, put } from './support/homes.ts';
import { launchLuna, type RunningLuna, temporaryFolder } from './support/luna-process.ts';

/** A home on a disk of its own that is filled up to the last byte (RELIABILITY D12). */

async function smallDisk(skip: TestContext['skip']): Promise<string> {
  const folder = await temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (thrown) {
    if (process.env.CI === 'true' && process.getuid?.() === 0) throw thrown;
    const why = 'NOT TESTED: a full disk. A small file system cannot be mounted here; run as root.';
    console.error(why);
    skip(why);
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

/** Writes until nothing more goes; what has been freed meanwhile too. */
async function fill(home: string): Promise<void> {
  for (let bytes = 64 * 1024; bytes > 0; bytes = Math.floor(bytes / 2)) {
    const block = Buffer.alloc(bytes, 'x');
    while (
      await appendFile(join(home, 'filler'), block).then(
        () => true,
        () => false,
      )
    );
  }
}

async function homeOn(folder: string): Promise<string> {
  const chatty = 'console.log("line"); setInterval(() => console.log("x".repeat(500)), 5)';
  await put(folder, 'extensions/a/tools/a_tools.js', fixedTool('a', 'A'));
  await put(folder, 'extensions/b/tools/b_tools.js', fixedTool('b', 'B'));
  await put(folder, 'extensions/a/services/chatty/service_config.json', '{ "requires_port": false }');
  await put(folder, 'extensions/a/services/chatty/start.sh', `exec ${process.execPath} -e '${chatty}'\n`);
  await put(folder, 'master_config.json', '{ "public_domain": "old.example" }');
  return folder;
}

const service = async (running: RunningLuna) => (await (await running.api('GET', 'services')).json()).services[0];
const works = async (running: RunningLuna) =>
  expect((await running.api('POST', 'tools/call', { name: 'a' })).status).toBe(200);

/** The writes that a person can ask for. */
const writes: Readonly<Record<string, (running: RunningLuna) => Promise<Response>>> = {
  'the configuration': async (running) => {
    const config = await (await running.api('GET', 'config/master')).json();
    return running.api('PUT', 'config/master', { ...config, public_domain: `${'x'.repeat(60)}.example` });
  },
  'a key': (running) => running.api('POST', 'keys/set', { name: 'NEW_KEY', value: 'x'.repeat(9_000) }),
  'a schedule': (running) =>
    running.api('POST', 'schedules', {
      name: 'late',
      action: { tool: 'a', args: { text: 'y'.repeat(60_000) } },
      when: { cron: '0 0 1 1 *' },
      enabled: false,
    }),
  'a queue': (running) => running.api('POST', 'queue/save', { operations: [{ type: 'delete', name: 'b' }] }),
};

test('on a full disk writes are refused with 507, all else goes on, and with room all is as before', async ({
  skip,
}) => {
  const home = await homeOn(await smallDisk(skip));
  const running = await launchLuna(home);
  await eventually(async () => expect((await service(running)).status).toBe('running'));
  const { pid } = await service(running);
  const config = await readFile(join(home, 'master_config.json'), 'utf8');
  const env = await readFile(join(home, '.env'), 'utf8');

  await fill(home);
  for (const [what, write] of Object.entries(writes)) {
    await fill(home);
    const answer = await write(running);
    expect([what, answer.status, await answer.json()]).toMatchObject([what, 507, { error: { code: 'no_space' } }]);
  }
  expect(await readFile(join(home, 'master_config.json'), 'utf8')).toBe(config);
  expect(await readFile(join(home, '.env'), 'utf8')).toBe(env);
  expect((await (await running.api('GET', 'schedules')).json()).schedules).toEqual([]);
  expect((await (await running.api('GET', 'queue/current')).json()).queue).toBe(null);
  await works(running);
  expect(await service(running)).toMatchObject({ status: 'running', pid });
  expect((await statfs(home)).bavail).toBe(0);

  // A service that dies now is started again all the same.
  process.kill(pid, 'SIGKILL');
  await eventually(async () => {
    const now = await service(running);
    expect(now).toMatchObject({ status: 'running', restarts: 1 });
    expect(now.pid).not.toBe(pid);
  });
  await works(running);

  await rm(join(home, 'filler'));
  for (const [what, write] of Object.entries(writes)) {
    const answer = await write(running);
    expect([what, Math.floor(answer.status / 100), await answer.text()]).toMatchObject([what, 2, expect.any(String)]);
  }
  expect((await running.env()).NEW_KEY).toHaveLength(9_000);
  expect((await (await running.api('GET', 'config/master')).json()).public_domain).toBe(`${'x'.repeat(60)}.example`);
  expect((await (await running.api('GET', 'schedules')).json()).schedules).toHaveLength(1);
  // What the service prints is kept again.
  const lines = async () => (await readFile(join(home, 'logs', 'a.chatty.log'), 'utf8')).length;
  const before = await lines();
  await eventually(async () => expect(await lines()).toBeGreaterThan(before));
  await works(running);
  expect(await running.stop()).toBe(0);
});

test('Luna that is stopped and started on a full disk says what is wrong, and starts once there is room', async ({
  skip,
}) => {
  const home = await homeOn(await smallDisk(skip));
  const running = await launchLuna(home);
  await works(running);
  await fill(home);
  expect(await running.stop()).toBe(0);
  await fill(home);
  await expect(launchLuna(home)).rejects.toThrow(/The disk is full|no_space/);
  await rm(join(home, 'filler'));
  const again = await launchLuna(home);
  await works(again);
  expect(await again.stop()).toBe(0);
});
