import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import { ownerMark, processesMarked, stopProcesses } from '../../supervisor/index.ts';
import { PluginSource } from './source.ts';

/** What a hostile or broken program would do to whoever runs it. */

const help = `if [ "$1" = --help ]; then echo 'usage: p [--go]'; echo; echo 'options:'; echo '  --go  goes'; exit; fi\n`;

async function pluginOf(script: string, settings: object = {}) {
  const folder = join(await temporaryFolder(), 'p');
  await mkdir(folder);
  await writeFile(join(folder, 'cli.sh'), help + script);
  await writeFile(join(folder, 'plugin.json'), JSON.stringify({ timeout_seconds: 2, ...settings }));
  const owner = randomUUID();
  const log: string[] = [];
  const progress: unknown[] = [];
  const source = new PluginSource({ folder, owner, onLog: (line) => log.push(line) });
  onTestFinished(async () => {
    await source.close();
    await stopProcesses(await processesMarked(ownerMark, owner));
  });
  await source.start();
  const call = () =>
    source.call('p', {}, { signal: new AbortController().signal, onProgress: (one) => void progress.push(one) });
  return { source, folder, log, progress, call, left: () => processesMarked(ownerMark, owner) };
}

test.each([
  ['standard output', 'yes'],
  ['standard error', 'yes >&2'],
  ['standard error without a line', 'yes | tr -d "\\n" >&2'],
  ['both, as bytes', 'cat /dev/urandom & cat /dev/urandom >&2'],
])('a flood on %s ends the program, and floods nobody', async (_what, script) => {
  const { call, log, progress, left } = await pluginOf(script, { timeout_seconds: 20 });
  await expect(call()).rejects.toMatchObject({ code: 'too_large' });
  expect(log.length).toBeLessThan(5_000);
  expect(progress.length).toBeLessThan(5_000);
  expect(log.every((line) => line.length <= 2_000)).toBe(true);
  expect(await left()).toEqual([]);
});

test.each([
  ['ignores that it is to end', 'trap "" TERM INT HUP; while :; do sleep 1; done', /timeout/],
  [
    'leaves children in sessions of their own',
    'for i in 1 2 3; do setsid sleep 60 >/dev/null 2>&1 & done; echo ok',
    undefined,
  ],
  ['leaves a child that holds its output', 'setsid sleep 60 & echo ok', undefined],
  ['leaves a child that ignores that it is to end', 'setsid sh -c \'trap "" TERM; sleep 60\' & echo ok', undefined],
])('a program that %s leaves nothing behind', async (_what, script, refused) => {
  const { call, left } = await pluginOf(script);
  const outcome = await call().then(
    ({ content }) => content[0]?.text,
    (error) => error.code,
  );
  expect(outcome).toMatch(refused ?? /^ok$/);
  await expect.poll(left, { timeout: 30_000 }).toEqual([]);
});

test('a program that reads its input meets the end of it', async () => {
  const { call } = await pluginOf('cat; echo done');
  expect(await call()).toMatchObject({ content: [{ text: 'done' }] });
});

test('a folder in the place of the program leaves the last good version', async () => {
  const { source, folder } = await pluginOf('echo ok');
  execFileSync('rm', ['-r', join(folder, 'cli.sh')]);
  await mkdir(join(folder, 'cli.sh'));
  await source.reload();
  expect(source.health()).toMatchObject({ status: 'degraded' });
});

test('a plugin behind a link runs where the link leads', async () => {
  const { folder } = await pluginOf('pwd -P');
  const link = join(await temporaryFolder(), 'p');
  await symlink(folder, link);
  const source = new PluginSource({ folder: link });
  onTestFinished(() => source.close());
  await source.start();
  const { content } = await source.call('p', {}, { signal: new AbortController().signal });
  expect(content[0]?.text).toBe(folder);
});
