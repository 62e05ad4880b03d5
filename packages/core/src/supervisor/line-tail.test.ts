import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { LineTail } from './line-tail.ts';

async function linesOf(chunks: (string | Buffer)[], options: ConstructorParameters<typeof LineTail>[1] = {}) {
  const stream = new PassThrough();
  const heard: string[] = [];
  const tail = new LineTail(stream, { ...options, onLine: (line) => heard.push(line) });
  const ended = once(stream, 'end');
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await ended;
  return { lines: tail.lines(), heard };
}

test('keeps the last 20 lines, and tells of all', async () => {
  const all = Array.from({ length: 50 }, (_, index) => `line ${index}`);
  const { lines, heard } = await linesOf([`${all.join('\n')}\n`]);
  expect(lines).toEqual(all.slice(-20));
  expect(heard).toEqual(all);
});

test('puts together what came in pieces, down to the bytes of a character', async () => {
  const bytes = Buffer.from('häl🌙\r\nlo\n');
  const { lines } = await linesOf([...bytes].map((byte) => Buffer.from([byte])));
  expect(lines).toEqual(['häl🌙', 'lo']);
});

test('shows a line that has not ended, and counts it', async () => {
  const { lines, heard } = await linesOf(['a\nb\nc'], { maxLines: 2 });
  expect(lines).toEqual(['b', 'c']);
  expect(heard).toEqual(['a', 'b']);
});

test('cuts a line that never ends, without growing', async () => {
  const chunk = 'x'.repeat(64 * 1024);
  const before = process.memoryUsage().heapUsed;
  const { lines, heard } = await linesOf([...Array.from({ length: 400 }, () => chunk), '\nend\n']);
  expect(lines).toEqual(['x'.repeat(2_000), 'end']);
  expect(heard.map(({ length }) => length)).toEqual([2_000, 3]);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024);
});

test('of no stream is empty', () => {
  expect(new LineTail().lines()).toEqual([]);
});

test('tells of so many lines only as somebody could read, and how many were left out', async () => {
  const stream = new PassThrough();
  const heard: string[] = [];
  const tail = new LineTail(stream, { onLine: (line) => heard.push(line) });
  stream.write('y\n'.repeat(500_000));
  await new Promise((next) => setImmediate(next));
  expect(heard.length).toBeGreaterThanOrEqual(1_000);
  expect(heard.length).toBeLessThan(20_000);
  const before = heard.length;
  await vi.waitFor(
    async () => {
      stream.write('later\n');
      await new Promise((next) => setImmediate(next));
      expect(heard.at(-1)).toBe('later');
    },
    { timeout: 30_000 },
  );
  expect(heard.slice(before - 1).some((line) => /^… \d+ lines were left out/.test(line))).toBe(true);
  expect(tail.lines().at(-1)).toBe('later');
});
