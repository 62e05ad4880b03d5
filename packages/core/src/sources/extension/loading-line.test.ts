import { expect, test } from 'vitest';
import { startExtension, toolFile } from '../../../test/fixtures/extension-folder.ts';
import { LoadingLine } from './loading-line.ts';

test('a few load at one time, and one that never ends holds nobody up', async () => {
  const line = new LoadingLine({ size: 2, patienceMs: 50 });
  const never = line.load(() => new Promise<void>(() => undefined));
  void never;
  let now = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++now);
    await new Promise((settle) => setImmediate(settle));
    now--;
  };
  await Promise.all(Array.from({ length: 50 }, () => line.load(work)));
  expect(most).toBeLessThanOrEqual(2);
  await expect(line.load(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(line.load(work, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  await line.load(work);
});

test('extensions with one line load one after the other, each within its own time', async () => {
  const line = new LoadingLine({ size: 1, patienceMs: 60_000 });
  const began: string[] = [];
  const names = ['a', 'b', 'c'];
  const started = names.map((name) =>
    startExtension(
      {
        'tools/t_tools.js': `console.log('begin'); await new Promise((settle) => setTimeout(settle, 100)); console.log('end');
${toolFile(name, '() => 1')}`,
      },
      { name, line, onLog: (text) => began.push(text) },
    ),
  );
  const all = await Promise.all(started);
  expect(all.map(({ source }) => source.health().status)).toEqual(['ready', 'ready', 'ready']);
  await expect.poll(() => began).toEqual(['begin', 'end', 'begin', 'end', 'begin', 'end']);
});
