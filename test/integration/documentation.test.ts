import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { connectHttp } from './support/clients.ts';
import { homeOf, put } from './support/homes.ts';
import { repository, startLuna } from './support/luna-process.ts';

test('the first extension of the README, and the smallest of the guide, work as they stand there', async () => {
  const readme = await readFile(join(repository, 'README.md'), 'utf8');
  const path = /examples\/home\/(extensions\/\S+_tools\.ts)/.exec(readme)?.[1] ?? '';
  const code = /```ts\n([\s\S]+?)```/.exec(readme)?.[1] ?? '';
  const luna = await startLuna(await homeOf({}));
  const client = await connectHttp('sdk 1.x, 2025-11-25', luna);
  let changed = client.nextListChange();
  await put(luna.home, path, code);
  await changed;
  expect((await client.call('roll_dice', { sides: 2 })).content[0]?.text).toMatch(/^You rolled [12]\.$/);
  expect(await client.call('roll_dice', { sides: 1 })).toMatchObject({ isError: true });

  changed = client.nextListChange();
  await put(
    luna.home,
    'extensions/dice_js/tools/dice_tools.js',
    await readFile(join(repository, 'docs/snippets/dice_tools.js'), 'utf8'),
  );
  await changed;
  expect((await client.call('dice_js__roll_dice')).content[0]?.text).toMatch(/^You rolled [1-6]\.$/);
});

test('the reference says what the code says', async () => {
  await promisify(execFile)(process.execPath, [join(repository, 'docs', 'generate.mjs'), '--check']);
});
