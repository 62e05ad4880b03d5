import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { LogFile } from './log-file.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'luna-log-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

test('a log that has grown makes room, and only so many former ones are kept', async () => {
  const logs = await folder();
  const file = new LogFile({ folder: logs, name: 'a.log', maxBytes: 1_000, formerFiles: 2 });
  for (let line = 0; line < 100; line++) file.write(`${String(line).padStart(99, '.')}\n`);
  await file.close();
  expect((await readdir(logs)).sort()).toEqual(['a.log', 'a.log.1', 'a.log.2']);
  for (const name of await readdir(logs)) {
    expect((await stat(join(logs, name))).size).toBeLessThanOrEqual(1_000);
    expect((await stat(join(logs, name))).mode & 0o777).toBe(0o600);
  }
  const former = await readFile(join(logs, 'a.log.1'), 'utf8');
  expect(former).toMatch(/^\.+90\n[\s\S]*99\n$/);
});

test('a log that cannot be written stops nothing, and tells of its gap once it can be written again', async () => {
  const logs = await folder();
  // A folder stands where the file belongs.
  await mkdir(join(logs, 'a.log'));
  const file = new LogFile({ folder: logs, name: 'a.log', maxBytes: 10_000, formerFiles: 1 });
  file.write('one\n');
  await passed(50);
  file.write('two\n');
  await rm(join(logs, 'a.log'), { recursive: true });
  await vi.waitFor(
    async () => {
      file.write('more\n');
      expect(await readFile(join(logs, 'a.log'), 'utf8')).toMatch(/more\n$/);
    },
    { timeout: 30_000, interval: 100 },
  );
  await file.close();
  const [first = ''] = (await readFile(join(logs, 'a.log'), 'utf8')).split('\n');
  expect(JSON.parse(first)).toMatchObject({
    level: 40,
    msg: expect.stringMatching(/^\d+ lines are missing here: .*a\.log/),
  });
});

test('what is written after the end goes nowhere', async () => {
  const logs = await folder();
  const file = new LogFile({ folder: logs, name: 'a.log', maxBytes: 10_000, formerFiles: 1 });
  file.write('one\n');
  await file.close();
  file.write('two\n');
  await file.close();
  expect(await readFile(join(logs, 'a.log'), 'utf8')).toBe('one\n');
});
