import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { homeOf, put } from './support/homes.ts';
import { luna, repository } from './support/luna-process.ts';

test.each([[[]], [['--python']]])('an extension is made, listed and called, with Luna at rest (%j)', async (flags) => {
  const home = await homeOf({});
  const run = (...args: string[]) => luna(['ext', ...args, '--home', home]);
  const made = await run('new', 'my-thing', ...flags);
  expect([made.code, made.stderr]).toEqual([0, '']);
  expect((await run('test', 'my-thing')).stdout).toMatch(/my_thing_greet +Greets somebody by name\./);
  const called = await run('test', 'my-thing', 'my_thing_greet', '{"name":"Ada"}');
  expect([called.code, called.stdout.trim()]).toEqual([0, 'Hello, Ada!']);
  const json = await run('test', 'my-thing', 'my_thing_greet', '{"name":"Ada"}', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ content: [{ text: 'Hello, Ada!' }] });
  for (const [args, why] of [
    [['new', 'my-thing'], /is there already/],
    [['new', '../evil'], /cannot be the name/],
    [['test', 'none'], /no extension "none"/],
    [['test', 'my-thing', 'none'], /no tool "none"/],
    [['test', 'my-thing', 'my_thing_greet', 'nonsense'], /must be a JSON object/],
  ] as const) {
    const refused = await run(...args);
    expect([args, refused.code, refused.stderr]).toEqual([args, 1, expect.stringMatching(why)]);
  }
});

test('one that does not load is said with its line', async () => {
  const home = await homeOf({ 'extensions/bad/tools/bad_tools.ts': 'export const TOOLS = [\n  oops,\n];\n' });
  const refused = await luna(['ext', 'test', 'bad', '--home', home]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/bad_tools\.ts:2/)]);
});

test('while it is worked on each change is told', async () => {
  const home = await homeOf({});
  await luna(['ext', 'new', 'mine', '--home', home]);
  const launcher = join(repository, 'packages', 'server', 'bin', 'luna.mjs');
  const child = spawn(process.execPath, [launcher, 'ext', 'dev', 'mine', '--home', home], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('✓ 1 tool: mine_greet');
  await put(home, 'extensions/mine/tools/mine_tools.ts', 'export const TOOLS = [oops];');
  expect((await lines.next()).value).toMatch(/^! .*mine_tools\.ts:1/);
  child.kill('SIGINT');
  expect((await once(child, 'exit'))[0]).toBe(0);
});

test('what it depends on is put into its own folder, and no script of it runs', async () => {
  const home = await homeOf({});
  await luna(['ext', 'new', 'deps', '--home', home]);
  const folder = join(home, 'extensions', 'deps');
  // A package beside it, so that nothing is fetched; its script would leave a mark.
  await mkdir(join(home, 'helper'));
  const scripts = { postinstall: 'touch ../../../../ran', install: 'touch ../../../../ran' };
  await writeFile(
    join(home, 'helper', 'package.json'),
    JSON.stringify({ name: 'helper', version: '1.0.0', main: 'index.js', scripts }),
  );
  await writeFile(join(home, 'helper', 'index.js'), 'module.exports = "from the helper";');
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', dependencies: { helper: 'file:../../helper' } }),
  );
  await writeFile(
    join(folder, 'tools', 'deps_tools.ts'),
    "import helper from 'helper';\nexport const TOOLS = [{ name: 'help', description: 'Helps.', handler: () => helper }];",
  );
  const installed = await luna(['ext', 'install', 'deps', '--home', home, '--json']);
  expect([installed.code, JSON.parse(installed.stdout)]).toMatchObject([0, [{ what: 'npm' }]]);
  expect((await luna(['ext', 'test', 'deps', 'help', '--home', home])).stdout.trim()).toBe('from the helper');
  const none = await luna(['ext', 'install', 'none', '--home', home]);
  expect(none.code).toBe(1);
});

test('an extension whose packages are missing loads, and its tools that need them say what to run', async () => {
  const home = await homeOf({});
  const folder = join(home, 'extensions', 'dev-tools');
  await cp(join(repository, 'examples/home/extensions/dev-tools'), folder, {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules') && !path.endsWith('.test.ts'),
  });
  const run = (...args: string[]) => luna(['ext', 'test', 'dev-tools', ...args, '--home', home]);
  expect((await run()).stdout).toMatch(/image_info[\s\S]*scaffold_project/);
  const made = await run('scaffold_project', '{"name":"new","template":"web"}');
  expect([made.code, made.stderr]).toEqual([0, '']);
  const picture = await run('image_info', '{"path":"a.png"}');
  expect([picture.code, picture.stdout]).toEqual([2, expect.stringContaining('Run: luna ext install dev-tools')]);
  await writeFile(join(home, '.env'), 'GITHUB_TOKEN=none\n');
  const issue = await run('github_issue', '{"owner":"o","repo":"r","title":"t"}');
  expect([issue.code, issue.stdout]).toEqual([2, expect.stringContaining('Run: luna ext install dev-tools')]);
});
