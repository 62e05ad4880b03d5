import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { commitTo, type GitServer, git, serveGit } from '../../test/fixtures/git-server.ts';
import { type NpmRegistry, startNpmRegistry } from '../../test/fixtures/npm-registry.ts';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { ConfigStore } from '../config/index.ts';
import { AutoUpdates, Updates } from './index.ts';

const dayMs = 24 * 3_600_000;
let home = '';
let repositories = '';
let server: GitServer;
let registry: NpmRegistry;
let config: ConfigStore;
let updates: Updates;
let said: string[];

beforeEach(async () => {
  home = await temporaryFolder();
  repositories = await temporaryFolder();
  server = await serveGit(repositories);
  registry = await startNpmRegistry();
  said = [];
  await mkdir(join(home, 'extensions'));
  const luna = { git_protocols: ['http'], allowed_private_hosts: ['127.0.0.1'], npm_registry: registry.url };
  await writeFile(join(home, 'master_config.json'), JSON.stringify({ luna }));
  config = await ConfigStore.open({ file: join(home, 'master_config.json') });
  updates = new Updates({
    extensions: join(home, 'extensions'),
    generated: join(home, '.luna'),
    config,
    secrets: async () => [],
    egress: () => ({ allowedHosts: config.config.luna.allowed_private_hosts }),
  });
});

function looking(): AutoUpdates {
  return new AutoUpdates({
    updates,
    config,
    extensions: join(home, 'extensions'),
    file: join(home, '.luna', 'auto_updates.json'),
    onLog: (line) => said.push(line),
  });
}

const notes = (version: string, manifest: object = {}, more: Record<string, string> = {}) => ({
  'config.json': JSON.stringify({ name: 'notes', version, auto_update: true, ...manifest }),
  'tools/notes_tools.js': `export const TOOLS = [{ name: 'v', description: 'V.', handler: () => '${version}' }];\n`,
  ...more,
});
const publish = (files: Record<string, string>) => commitTo(repositories, 'notes', files);
const versionHere = async () =>
  JSON.parse(await readFile(join(home, 'extensions', 'notes', 'config.json'), 'utf8')).version;
const setting = (luna: object) => config.update((draft) => void Object.assign(draft.luna, luna));

async function install(source = `${server.url}/notes.git`): Promise<void> {
  const { digest } = await updates.inspect(source, { name: 'notes' });
  await updates.save({ operations: [{ type: 'install', digest, name: 'notes', allow_new: true }] });
  await updates.apply();
  await updates.idle();
  expect((await updates.current()).last?.outcome).toBe('done');
}

describe('an extension that asks to be updated by itself', () => {
  test('is, where the new version wants nothing more', async () => {
    await publish(notes('1.0.0'));
    await install();
    await publish(notes('1.1.0'));
    const auto = looking();
    await auto.look();
    expect([await versionHere(), auto.pendingOf('notes')]).toEqual(['1.1.0', undefined]);
    expect((await updates.current()).queue).toBe(null);
    expect(said).toEqual(['notes was updated by itself to 1.1.0.']);
    await auto.look();
    expect(said).toHaveLength(1);
  });

  const script = '#!/bin/sh\nexec sleep 1\n';
  const luaTool = (hosts: string[]) =>
    JSON.stringify({ description: 'x', permissions: { network: { allowed_hosts: hosts } } });
  test.each([
    ['a key', { required_secrets: ['TOKEN'] }, {}, 'asks for the key TOKEN'],
    ['a key that it can do without', { optional_secrets: ['TOKEN'] }, {}, 'asks for the key TOKEN'],
    ['a program', {}, { 'services/feed/start.sh': script }, 'starts a new services/feed/start.sh'],
    ['another program', {}, { 'ui/start.sh': script }, 'starts another ui/start.sh'],
    ['permissions', {}, { 'lua/get/mcp_tool.json': luaTool(['evil.test']) }, 'asks for permissions of the tool get'],
  ])('waits for a person, and says so, where it wants more: %s', async (_what, manifest, more, reason) => {
    const before = { 'ui/start.sh': '#!/bin/sh\nexec serve\n', 'lua/get/mcp_tool.json': luaTool(['example.org']) };
    await publish(notes('1.0.0', {}, before));
    await install();
    await publish(notes('1.1.0', manifest, { ...before, ...more }));
    const auto = looking();
    await auto.look();
    await auto.look();
    expect(await versionHere()).toBe('1.0.0');
    expect(auto.pendingOf('notes')).toMatchObject({
      state: 'waits',
      version: '1.1.0',
      reason: expect.stringContaining(reason),
    });
    expect(said).toEqual([expect.stringContaining('luna ext update notes')]);
    // It is known after a restart too, and gone once a person took it.
    const later = looking();
    await setting({ auto_update_hours: 0 });
    await later.start();
    expect(later.pendingOf('notes')?.state).toBe('waits');
    const { digest } = await updates.inspect(`${server.url}/notes.git`);
    await updates.save({ operations: [{ type: 'update', name: 'notes', digest }] });
    await updates.apply();
    await updates.idle();
    expect([await versionHere(), later.pendingOf('notes')]).toEqual(['1.1.0', undefined]);
    await later.close();
  });

  test('is left alone where nobody asked for that, and where a person went back', async () => {
    await publish(notes('1.0.0', { auto_update: false }));
    await install();
    await publish(notes('1.1.0'));
    const auto = looking();
    await auto.look();
    expect(await versionHere()).toBe('1.0.0');
    await config.update((draft) => {
      if (draft.extensions.notes) draft.extensions.notes.auto_update = true;
    });
    await auto.look();
    expect(await versionHere()).toBe('1.1.0');
    await updates.rollback('notes');
    await auto.look();
    expect(await versionHere()).toBe('1.0.0');
    expect(auto.pendingOf('notes')?.reason).toContain('went back');
  });

  test('is not taken while something else waits in the queue', async () => {
    await publish(notes('1.0.0'));
    await install();
    await updates.save({ operations: [{ type: 'delete', name: 'notes' }] });
    await publish(notes('1.1.0'));
    const auto = looking();
    await auto.look();
    expect([await versionHere(), auto.pendingOf('notes')?.state]).toEqual(['1.0.0', 'waits']);
    expect((await updates.current()).queue?.operations).toMatchObject([{ type: 'delete' }]);
  });

  test('that fails is taken back, and not tried again until there is another one', async () => {
    // A registry that is there, and has no such package.
    vi.stubEnv('npm_config_registry', registry.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    await publish(notes('1.0.0'));
    await install();
    await publish(notes('1.1.0', {}, { 'package.json': JSON.stringify({ dependencies: { nowhere: '1.0.0' } }) }));
    const auto = looking();
    await auto.look();
    expect([await versionHere(), auto.pendingOf('notes')?.state]).toEqual(['1.0.0', 'failed']);
    expect((await updates.current()).queue).toBe(null);
    await auto.look();
    expect(said).toHaveLength(1);
    await publish(notes('1.2.0'));
    await auto.look();
    expect(await versionHere()).toBe('1.2.0');
  });

  test('is looked for at times, and not at all with 0', async () => {
    await publish(notes('1.0.0'));
    await install();
    await publish(notes('1.1.0'));
    await setting({ auto_update_hours: 0 });
    const auto = looking();
    await auto.start();
    const updated = new Promise<void>((settle) => {
      said.push = (line) => {
        if (line.includes('was updated')) settle();
        return 1;
      };
    });
    expect(await versionHere()).toBe('1.0.0');
    await setting({ auto_update_hours: 0.0001 });
    await updated;
    expect(await versionHere()).toBe('1.1.0');
    await auto.close();
  });
});

describe('a release that is too young', () => {
  const released = (version: string, ageDays: number) =>
    registry.times.set('notes', { [version]: new Date(Date.now() - ageDays * dayMs).toISOString() });

  test('is not taken from npm, unless a person wants it', async () => {
    await setting({ min_release_age: 3 });
    registry.publish('notes', '1.0.0', notes('1.0.0'));
    released('1.0.0', 1);
    const shown = await updates.inspect('npm:notes');
    expect(shown.tooNew).toBe('It was released 24 hours ago, and luna.min_release_age asks for 3 days.');
    const operation = { type: 'install' as const, digest: shown.digest };
    await expect(updates.save({ operations: [operation] })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('--allow-new'),
    });
    await updates.save({ operations: [{ ...operation, allow_new: true }] });
    await updates.discard();
    released('1.0.0', 4);
    expect((await updates.inspect('npm:notes')).tooNew).toBe(undefined);
    await updates.save({ operations: [operation] });
    registry.times.clear();
    expect((await updates.inspect('npm:notes')).tooNew).toContain('does not say');
  });

  test('is waited for by those that are updated by themselves', async () => {
    registry.publish('notes', '1.0.0', notes('1.0.0'));
    await install('npm:notes');
    await setting({ min_release_age: 3 });
    registry.publish('notes', '1.1.0', notes('1.1.0'));
    released('1.1.0', 2);
    const auto = looking();
    await auto.look();
    expect([await versionHere(), auto.pendingOf('notes')?.state]).toEqual(['1.0.0', 'too_new']);
    released('1.1.0', 3.5);
    await auto.look();
    expect(await versionHere()).toBe('1.1.0');
  });

  test('of git is judged by the date of its commit', async () => {
    await setting({ min_release_age: 3 });
    await publish(notes('1.0.0'));
    const source = `${server.url}/notes.git`;
    expect((await updates.inspect(source)).tooNew).toMatch(/^It was released 0 hours ago/);
    const inRepository = (...args: string[]) =>
      git(repositories, '--git-dir', join(repositories, 'notes.git'), ...args);
    const tree = inRepository('rev-parse', 'main^{tree}');
    const when = `${Math.round((Date.now() - 5 * dayMs) / 1000)} +0000`;
    const commit = `tree ${tree}\nauthor Ada <ada@example.org> ${when}\ncommitter Ada <ada@example.org> ${when}\n\nOld\n`;
    await writeFile(join(repositories, 'commit'), commit);
    const hash = inRepository('hash-object', '-t', 'commit', '-w', join(repositories, 'commit'));
    inRepository('update-ref', 'refs/heads/main', hash);
    const old = await updates.inspect(source);
    expect([old.revision, old.tooNew]).toEqual([hash, undefined]);
  });
});
