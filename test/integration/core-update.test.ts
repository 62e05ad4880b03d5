import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { commitTo, git } from '../../packages/core/test/fixtures/git-server.ts';
import { startNpmRegistry } from '../../packages/core/test/fixtures/npm-registry.ts';
import { CoreUpdateJournal } from '../../packages/server/src/core-update/journal.ts';
import { eventually } from './support/eventually.ts';
import {
  dyingServer,
  folderWithDependencies,
  lunaPackages,
  lunaRepository,
  type PackageFiles,
  programIn,
} from './support/luna-packages.ts';
import { launchLuna, luna, type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';

const run = promisify(execFile);
const statusOf = async (running: RunningLuna) => (await running.api('GET', 'status')).json();
const versionOf = async (running: RunningLuna) => (await statusOf(running)).version;
const manifestOf = async (folder: string) => JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
const leftOf = (root: string) =>
  [join(root, '.luna-core-update'), join(root, '.luna', 'core_update.json')].filter(existsSync);

test('an npm installation becomes the version that is asked for, and one that dies at its start is taken back', async () => {
  const registry = await startNpmRegistry();
  const publish = async (version: string, change: PackageFiles = {}) => {
    for (const [name, files] of Object.entries(await lunaPackages(version, change)))
      registry.publish(`@luna/${name}`, version, files);
  };
  await publish('1.0.0');
  registry.publish('node', '24.0.0', { 'index.js': '' });
  const root = join(await folderWithDependencies(), 'my-luna');
  const outside = await temporaryFolder();
  const env = { HOME: outside, NPM_CONFIG_REGISTRY: registry.url, npm_config_registry: registry.url };
  await mkdir(root);
  const dependencies = { '@luna/core': '1.0.0', '@luna/server': '1.0.0', node: '24.x' };
  await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'my-luna', type: 'module', dependencies }));
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: root, env: { ...process.env, ...env } });
  // The package of Node brings it by an install script; updates run none.
  const node = join(root, 'node_modules', 'node', 'bin', 'node');
  await mkdir(dirname(node), { recursive: true });
  await writeFile(node, 'brought by a script');
  const program = programIn(root, 'npm');
  const running = await launchLuna(root, { program, env });
  const update = (...args: string[]) => luna(['update', '--home', root, ...args], { program, env });
  expect(await versionOf(running)).toBe('1.0.0');
  expect((await update()).stdout).toContain('is the newest');

  await publish('1.1.0');
  registry.publish('node', '24.1.0', { 'index.js': '' });
  await publish('2.0.0', dyingServer);
  const seen = await update('1.1.0', '--check', '--json');
  expect(JSON.parse(seen.stdout).change).toMatchObject({ kind: 'npm', root, present: '1.0.0', next: '1.1.0' });
  expect((await update('1.1.0')).stderr).toContain('Say --yes');
  expect(await update('1.1.0', '--yes')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('is to become 1.1.0'),
  });
  expect(await versionOf(running)).toBe('1.1.0');
  expect(await readFile(node, 'utf8')).toBe('brought by a script');
  expect((await manifestOf(root)).dependencies).toEqual({
    '@luna/core': '1.1.0',
    '@luna/server': '1.1.0',
    node: '24.x',
  });
  expect((await manifestOf(join(root, 'node_modules/@luna/core'))).version).toBe('1.1.0');
  expect(leftOf(root)).toEqual([]);

  const failed = await update('--yes');
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/Luna 2\.0\.0 was taken back, and 1\.1\.0 runs again: .*exit code 3/);
  expect(await versionOf(running)).toBe('1.1.0');
  expect((await manifestOf(root)).dependencies).toEqual({
    '@luna/core': '1.1.0',
    '@luna/server': '1.1.0',
    node: '24.x',
  });
  expect(leftOf(root)).toEqual([]);
  expect(await (await running.api('GET', 'queue/current')).json()).toMatchObject({ queue: null });
  expect(running.output().stderr).toContain('the former one is brought back');

  const unknown = await update('7.7.7', '--yes');
  expect(unknown.code).toBe(1);
  expect(await versionOf(running)).toBe('1.1.0');
  expect(await running.stop()).toBe(0);
}, 180_000);

test('a checkout becomes what was committed elsewhere, unless somebody works in it', async () => {
  const repositories = await temporaryFolder();
  const first = await commitTo(repositories, 'luna', await lunaRepository('1.0.0'));
  const parent = await folderWithDependencies();
  const root = join(parent, 'checkout');
  git(parent, 'clone', '--quiet', join(repositories, 'luna.git'), root);
  await run(process.execPath, ['build.mjs'], { cwd: root });
  const program = programIn(root, 'git');
  const home = join(root, 'home');
  await mkdir(home);
  const running = await launchLuna(home, { program });
  const update = (...args: string[]) => luna(['update', '--home', home, ...args], { program });

  const second = await commitTo(repositories, 'luna', await lunaRepository('1.1.0'));
  await writeFile(join(root, 'build.mjs'), '// somebody works here\n');
  expect((await update('--yes')).stderr).toContain('changes that are not committed');
  const refused = await running.api('POST', 'queue/save', { operations: [{ type: 'update_core' }] });
  expect(refused.status).toBe(409);
  git(root, 'checkout', '--quiet', 'build.mjs');

  const seen = await update('--check', '--json');
  expect(JSON.parse(seen.stdout).change).toMatchObject({
    kind: 'git',
    present: '1.0.0',
    presentRevision: first,
    next: '1.1.0',
    exact: second,
    changes: ['Changed'],
  });
  expect(await update('--yes')).toMatchObject({ code: 0, stderr: expect.stringContaining('built 1.1.0') });
  expect(await versionOf(running)).toBe('1.1.0');
  expect([git(root, 'rev-parse', 'HEAD'), git(root, 'branch', '--show-current')]).toEqual([second, 'main']);
  expect(git(root, 'status', '--porcelain', '--untracked-files=no')).toBe('');

  await commitTo(repositories, 'luna', await lunaRepository('2.0.0', dyingServer));
  const failed = await update('--yes');
  expect(failed.stderr).toMatch(/Luna 2\.0\.0 was taken back, and 1\.1\.0 runs again/);
  expect(await versionOf(running)).toBe('1.1.0');
  expect([git(root, 'rev-parse', 'HEAD'), git(root, 'branch', '--show-current')]).toEqual([second, 'main']);
  expect(git(root, 'status', '--porcelain', '--untracked-files=no')).toBe('');
  expect(git(root, 'worktree', 'list').split('\n')).toHaveLength(1);
  expect(leftOf(root)).toEqual([]);
  expect(await running.stop()).toBe(0);
}, 180_000);

test('a Luna without a launcher says what to run instead', async () => {
  const running = await startLuna(await temporaryFolder());
  const refused = await luna(['update', '--home', running.home, '--yes']);
  expect(refused.stderr).toContain('luna start');
});

test('killed anywhere between the making and the switch, Luna is one whole version, and the asked one in the end', async () => {
  const registry = await startNpmRegistry();
  const publish = async (version: string) => {
    for (const [name, files] of Object.entries(await lunaPackages(version)))
      registry.publish(`@luna/${name}`, version, files);
  };
  await publish('1.0.0');
  const root = join(await folderWithDependencies(), 'my-luna');
  const env = { HOME: await temporaryFolder(), NPM_CONFIG_REGISTRY: registry.url, npm_config_registry: registry.url };
  await mkdir(root);
  const dependencies = { '@luna/server': '1.0.0' };
  await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'my-luna', type: 'module', dependencies }));
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: root, env: { ...process.env, ...env } });
  const program = programIn(root, 'npm');
  const journal = new CoreUpdateJournal(root);
  const moments: string[] = [];
  for (let index = 0; index < 4; index++) {
    const next = `1.${index + 1}.0`;
    await publish(next);
    const running = await launchLuna(root, { program, env });
    const operations = [{ type: 'update_core', version: next }];
    expect((await running.api('POST', 'queue/save', { operations })).status).toBe(200);
    await running.api('POST', 'queue/apply');
    // The state that is wanted, or one after it: some are over at once.
    const states = ['staged', 'switching', 'switched', 'confirmed'].slice(index);
    let state: string | undefined;
    while (state === undefined || !states.includes(state)) {
      state = (await journal.read())?.state;
      await sleep(1);
    }
    moments.push(state);
    await running.kill();
    // The server notices that its launcher is gone, and ends.
    const again = await eventually(() => launchLuna(root, { program, env }), 60_000);
    await eventually(async () => {
      const { queue } = await (await again.api('GET', 'queue/current')).json();
      expect(queue === null || queue.status === 'failed').toBe(true);
    }, 60_000);
    if ((await (await again.api('GET', 'queue/current')).json()).queue !== null) {
      // What was ended in the middle of the switch was taken back, and counts as a failure.
      await again.api('POST', 'queue/apply');
    }
    await eventually(async () => expect(await versionOf(again)).toBe(next), 60_000);
    await eventually(async () => {
      expect((await (await again.api('GET', 'queue/current')).json()).queue).toBe(null);
    }, 60_000);
    const versions = await Promise.all(
      ['core', 'server', 'ui'].map(async (name) => (await manifestOf(join(root, 'node_modules/@luna', name))).version),
    );
    expect([(await manifestOf(root)).dependencies['@luna/server'], ...versions]).toEqual([next, next, next, next]);
    expect(leftOf(root)).toEqual([]);
    await again.stop();
  }
  expect(moments).toHaveLength(4);
}, 300_000);
