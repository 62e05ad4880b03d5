import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { endOfLines, lastLines } from './last-lines.ts';

async function logFile(...texts: (string | undefined)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-lines-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'it.log');
  for (const [index, text] of texts.entries())
    if (text !== undefined) await writeFile(index === 0 ? file : `${file}.${index}`, text);
  return file;
}

test('lines come from former files too, empty ones and one without an end included', async () => {
  const file = await logFile('4\n\nhalf', '2\n3\n', '1\n');
  expect(await lastLines({ file, count: 2 })).toEqual(['', 'half']);
  expect(await lastLines({ file, count: 4 })).toEqual(['3', '4', '', 'half']);
  expect(await lastLines({ file, count: 50 })).toEqual(['1', '2', '3', '4', '', 'half']);
  expect(await lastLines({ file, count: 0 })).toEqual([]);
});

test('only whole lines, and only some, where that is asked for', async () => {
  const file = await logFile('a1\nb1\na2\na3 ha');
  expect(await lastLines({ file, count: 9, endOf: endOfLines, wants: (line) => line.startsWith('a') })).toEqual([
    'a1',
    'a2',
  ]);
});

test('a log that is not there has none; one that was just set aside has its former ones', async () => {
  expect(await lastLines({ file: await logFile(), count: 5 })).toEqual([]);
  const file = await logFile(undefined, 'former\n');
  expect(await lastLines({ file, count: 5 })).toEqual(['former']);
  // Whoever has found that it is not there does not hear of one that came meanwhile.
  await writeFile(file, 'new\n');
  expect(await lastLines({ file, count: 5, opened: undefined })).toEqual(['former']);
});

test('what is handed over open stays open', async () => {
  const file = await logFile('1\n2\n');
  const opened = await open(file, 'r');
  expect(await lastLines({ file, count: 1, opened })).toEqual(['2']);
  expect((await opened.stat()).size).toBe(4);
  await opened.close();
});
