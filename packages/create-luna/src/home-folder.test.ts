import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FolderError, freeFolder, toFolderError } from './home-folder.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'create-luna-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a folder that is empty, or not there yet, is free', async () => {
  const folder = await temporaryFolder();
  expect(await freeFolder(folder)).toBe(folder);
  expect(await freeFolder(join(folder, 'a', '..', 'b'))).toBe(join(folder, 'b'));
  expect(await readdir(folder)).toEqual([]);
});

test('a folder with anything in it is not, not even with a hidden folder', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, '.git'));
  await expect(freeFolder(folder)).rejects.toThrow('is not empty');
});

test('a file is not, nor what would lie below one', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');
  await expect(freeFolder(file)).rejects.toThrow('is a file');
  await expect(freeFolder(join(file, 'home'))).rejects.toThrow('below one');
});

test.each([
  ['', 'is empty'],
  ['  ', 'is empty'],
  [join('x', 'node_modules', 'home'), 'node_modules'],
  [`a${delimiter}b`, 'no programs'],
  ['a\nb', 'control character'],
  ['x'.repeat(300), 'too long'],
])('the name %j does not do', async (name, message) => {
  await expect(freeFolder(name)).rejects.toThrow(FolderError);
  await expect(freeFolder(name)).rejects.toThrow(message);
});

test('what the system refuses is said in plain words, and a fault of ours stays as it is', () => {
  const refusal = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
  expect(toFolderError(refusal, '/x')).toMatchObject({ name: 'FolderError', cause: refusal });
  const fault = new TypeError('x is not a function');
  expect(toFolderError(fault, '/x')).toBe(fault);
});
