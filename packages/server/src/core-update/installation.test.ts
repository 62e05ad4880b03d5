import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findInstallation } from './installation.ts';

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'luna-installed-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const dependent = JSON.stringify({ dependencies: { '@luna/server': '1.0.0' } });
const server = 'node_modules/@luna/server/package.json';

test('a folder that depends on Luna is an npm installation', async () => {
  const root = await folderOf({ 'package.json': dependent, [server]: '{}' });
  expect(await findInstallation(join(root, 'node_modules/@luna/server'))).toEqual({ kind: 'npm', root });
});

test('the repository of Luna is a git checkout', async () => {
  const root = await folderOf({
    'package.json': '{"name":"luna-monorepo"}',
    '.git/HEAD': '',
    'packages/server/package.json': '{}',
  });
  expect(await findInstallation(join(root, 'packages/server'))).toEqual({ kind: 'git', root });
});

test.each([
  ['a global one', { [server]: '{}' }, 'node_modules/@luna/server'],
  ['one of npx', { '_npx/1/package.json': dependent, [`_npx/1/${server}`]: '{}' }, '_npx/1/node_modules/@luna/server'],
  ['a folder that depends on something else', { 'package.json': '{}', [server]: '{}' }, 'node_modules/@luna/server'],
  [
    'an archive of the repository',
    { 'package.json': '{"name":"luna-monorepo"}', 'packages/server/x': '' },
    'packages/server',
  ],
  ['a broken package.json', { 'package.json': '{', [server]: '{}' }, 'node_modules/@luna/server'],
])('%s is refused, with what to run instead', async (_what, files, place) => {
  const root = await folderOf(files);
  await expect(findInstallation(join(root, place))).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('npm install --global'),
  });
});
