import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { linesFrom, readLog } from './read-log.ts';

async function logFile(...texts: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-log-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'luna.log');
  for (const [index, text] of texts.entries()) await writeFile(index === 0 ? file : `${file}.${index}`, text);
  return file;
}

async function all(reading: Parameters<typeof readLog>[0]): Promise<string> {
  let text = '';
  for await (const piece of readLog(reading)) text += piece;
  return text;
}

const entry = (from: string, msg: string) => `${JSON.stringify({ level: 30, from, msg })}\n`;

test('the last lines come, oldest first, from former files too', async () => {
  const file = await logFile('5\n6\n', '3\n4\n', '1\n2\n');
  expect(await all({ file, lines: 1 })).toBe('6\n');
  expect(await all({ file, lines: 5 })).toBe('2\n3\n4\n5\n6\n');
  expect(await all({ file, lines: 50 })).toBe('1\n2\n3\n4\n5\n6\n');
  expect(await all({ file, lines: 0 })).toBe('');
});

test('a log of many megabytes is read from its end', async () => {
  const file = await logFile(Array.from({ length: 200_000 }, (_, line) => `${'é'.repeat(20)} ${line}\n`).join(''));
  expect(await all({ file, lines: 3 })).toBe(
    [199_997, 199_998, 199_999].map((line) => `${'é'.repeat(20)} ${line}\n`).join(''),
  );
  const text = await all({ file, lines: 10_000 });
  expect(text.split('\n')).toHaveLength(10_001);
  expect(text).not.toContain('\ufffd');
});

test('only lines of one source, and of its parts', async () => {
  const file = await logFile(
    `${entry('a', '1')}${entry('hub:x', '2')}not JSON "from"\n${entry('ab', '3')}${entry('a', '4')}`,
  );
  const of = (source: string) => all({ file, lines: 10, wants: linesFrom(source) });
  expect(await of('a')).toBe(entry('a', '1') + entry('a', '4'));
  expect(await of('hub')).toBe(entry('hub:x', '2'));
  expect(await of('hub:x')).toBe(entry('hub:x', '2'));
  expect(await of('nobody')).toBe('');
});

test('a log that is not there has no lines, and one that is half written only its whole ones', async () => {
  const file = await logFile('one\nhalf a li');
  expect(await all({ file, lines: 10 })).toBe('one\n');
  expect(await all({ file: `${file}.none`, lines: 10 })).toBe('');
});

test('following goes on over a rotation and an emptied file, and ends with the signal', async () => {
  const file = await logFile('1\nhalf');
  const stop = new AbortController();
  const pieces = readLog({ file, lines: 10, follow: true, signal: stop.signal });
  const next = async () => (await pieces.next()).value;
  expect(await next()).toBe('1\n');
  await appendFile(file, ' a line\n');
  expect(await next()).toBe('half a line\n');
  await appendFile(file, 'before\n');
  await rename(file, `${file}.1`);
  await writeFile(file, 'after the rotation\n');
  let text = '';
  while (!text.includes('after')) text += await next();
  expect(text).toBe('before\nafter the rotation\n');
  await truncate(file, 0);
  await appendFile(file, 'new\n');
  expect(await next()).toBe('new\n');
  const end = pieces.next();
  stop.abort();
  expect(await end).toMatchObject({ done: true });
});

test('a log that is followed before it is there begins when it comes', async () => {
  const file = await logFile('x\n');
  await rm(file);
  const stop = new AbortController();
  const pieces = readLog({ file, lines: 10, follow: true, signal: stop.signal });
  const first = pieces.next();
  await writeFile(file, 'one\n');
  expect((await first).value).toBe('one\n');
  stop.abort();
  await pieces.return(undefined);
});
