import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { commitTo, type GitServer, git, serveGit } from '../../test/fixtures/git-server.ts';
import { type NpmRegistry, startNpmRegistry } from '../../test/fixtures/npm-registry.ts';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { type ZipEntry, zipOf } from '../../test/fixtures/zip-bytes.ts';
import { ConfigStore } from '../config/index.ts';
import { type CurrentQueueView, Updates, type UpdatesOptions } from './index.ts';

/** Updates by themselves, without a Luna around them. */

let home = '';
let repositories = '';
let server: GitServer;
let config: ConfigStore;

beforeEach(async () => {
  home = await temporaryFolder();
  repositories = await temporaryFolder();
  server = await serveGit(repositories);
  await mkdir(join(home, 'extensions'));
  await configure({ git_protocols: ['https', 'http'] });
});

async function configure(luna: Record<string, unknown>): Promise<void> {
  const settings = { allowed_private_hosts: ['127.0.0.1'], ...luna };
  await writeFile(join(home, 'master_config.json'), JSON.stringify({ luna: settings }));
  config = await ConfigStore.open({ file: join(home, 'master_config.json') });
}

function open(options: Partial<UpdatesOptions> = {}): Updates {
  return new Updates({
    extensions: join(home, 'extensions'),
    generated: join(home, '.luna'),
    config,
    secrets: async () => ['PRESENT'],
    egress: () => ({ allowedHosts: config.config.luna.allowed_private_hosts }),
    ...options,
  });
}

const tool = (answer: string) =>
  `export const TOOLS = [{ name: 'greet', description: 'Greets.', handler: () => '${answer}' }];\n`;
const notes = (version: string, more: Record<string, string> = {}) => ({
  'config.json': JSON.stringify({ name: 'notes', version, required_secrets: ['PRESENT', 'MISSING'] }),
  'tools/notes_tools.js': tool(version),
  ...more,
});
const installed = (path: string) => readFile(join(home, 'extensions', path), 'utf8');
const queueFile = async () => JSON.parse(await readFile(join(home, '.luna', 'update_queue.json'), 'utf8'));
/** Nothing is left of a download that failed. */
const leftovers = async () => [
  ...(await readdir(join(home, '.luna/updates/work')).catch(() => [])),
  ...(await readdir(join(home, '.luna/updates/fetched')).catch(() => [])),
];

async function applied(updates: Updates): Promise<CurrentQueueView> {
  await updates.apply();
  await updates.idle();
  return updates.current();
}

async function install(updates: Updates, source: string, name?: string): Promise<CurrentQueueView> {
  const { digest } = await updates.inspect(source, { name });
  await updates.save({ operations: [{ type: 'install', digest, ...(name !== undefined && { name }) }] });
  return applied(updates);
}

async function update(updates: Updates, source: string, name: string): Promise<CurrentQueueView> {
  const { digest } = await updates.inspect(source, { name });
  await updates.save({ operations: [{ type: 'update', digest, name }] });
  return applied(updates);
}

describe('a source of git', () => {
  test('is shown before it is installed, and what was shown is what is installed', async () => {
    const commit = await commitTo(
      repositories,
      'notes',
      notes('1.0.0', {
        'ui/start.sh': '#!/bin/sh\nexec serve "$1"\n',
        'services/feed/start.sh': '#!/bin/sh\n',
        'lua/fetch/mcp_tool.json': JSON.stringify({
          description: 'Fetches.',
          permissions: { network: { allowed_hosts: ['example.org'] } },
        }),
        'package.json': JSON.stringify({ dependencies: { left: '^1.0.0' }, scripts: { postinstall: 'touch ran' } }),
        'requirements.txt': 'requests>=2 # for fetching\n',
        '.npmrc': 'git=./evil.sh\n',
      }),
    );
    const updates = open();
    const shown = await updates.inspect(`${server.url}/notes.git`);
    expect(shown).toMatchObject({
      name: 'notes',
      version: '1.0.0',
      revision: commit,
      toolFiles: ['tools/notes_tools.js'],
      commands: [
        { kind: 'ui', command: 'ui/start.sh', script: expect.stringContaining('exec serve') },
        { kind: 'service', name: 'feed', command: 'services/feed/start.sh' },
      ],
      requiredSecrets: ['PRESENT', 'MISSING'],
      missingSecrets: ['MISSING'],
      permissions: [{ tool: 'fetch', permissions: { network: { allowed_hosts: ['example.org'] } } }],
      dependencies: { npm: [{ name: 'left', range: '^1.0.0' }], python: ['requests>=2'] },
      warnings: [expect.stringContaining('.npmrc'), expect.stringContaining('postinstall')],
      refusals: [],
    });
    expect(shown.files.count).toBe(7);
    expect(await readdir(join(home, 'extensions'))).toEqual([]);
  });

  test('is installed as it was shown, though it has changed meanwhile', async () => {
    await commitTo(repositories, 'notes', notes('1.0.0'));
    const updates = open();
    const { digest } = await updates.inspect(`${server.url}/notes.git`);
    await commitTo(repositories, 'notes', notes('6.6.6'));
    await updates.save({ operations: [{ type: 'install', digest }] });
    const { queue, last } = await applied(updates);
    expect([queue, last]).toMatchObject([null, { outcome: 'done' }]);
    expect(await installed('notes/tools/notes_tools.js')).toBe(tool('1.0.0'));
    expect(config.config.extensions.notes).toMatchObject({ enabled: true, source: `${server.url}/notes.git`, digest });
    expect(existsSync(join(home, '.luna', 'update_queue.json'))).toBe(false);
  });

  test('may be a folder, a branch or a tag', async () => {
    await commitTo(repositories, 'many', { 'README.md': 'x', 'deep/notes/tools/a_tools.js': tool('deep') });
    git(repositories, '--git-dir=many.git', 'tag', 'v1');
    await commitTo(repositories, 'many', { 'README.md': 'x' });
    const updates = open();
    const shown = await updates.inspect(`${server.url}/many.git:deep/notes#v1`);
    expect(shown).toMatchObject({ name: 'notes', files: { paths: ['tools/a_tools.js'] } });
    await expect(updates.inspect(`${server.url}/many.git:deep/notes`)).rejects.toMatchObject({ code: 'not_found' });
    await expect(updates.inspect(`${server.url}/many.git`)).rejects.toMatchObject({ code: 'extension_invalid' });
    await expect(updates.inspect(`${server.url}/many.git#none`)).rejects.toMatchObject({ code: 'upstream_error' });
    await expect(updates.inspect(`${server.url}/none.git`)).rejects.toMatchObject({ code: 'upstream_error' });
  });

  test('runs nothing of its own: no hooks, filters, submodules or settings', async () => {
    const mark = join(home, 'ran');
    const inner = join(repositories, 'inner.git');
    await commitTo(repositories, 'inner', { 'a.txt': 'inner' });
    await commitTo(
      repositories,
      'evil',
      notes('1.0.0', {
        '.gitattributes': `* filter=evil export-subst\n`,
        '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ${inner}\n\tupdate = !touch ${mark}\n`,
      }),
    );
    for (const hook of ['post-update', 'pre-receive', 'post-checkout', 'upload-pack', 'reference-transaction'])
      await writeFile(join(repositories, 'evil.git', 'hooks', hook), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    // The machine of the person who installs has settings as well.
    await writeFile(
      join(home, '.gitconfig'),
      `[core]\n\tfsmonitor = touch ${mark}\n[filter "evil"]\n\tsmudge = touch ${mark}\n[url "ext::touch ${mark} "]\n\tinsteadOf = http\n`,
    );
    const former = process.env.HOME;
    process.env.HOME = home;
    try {
      expect(await open().inspect(`${server.url}/evil.git`)).toMatchObject({ name: 'notes' });
    } finally {
      process.env.HOME = former;
    }
    expect(existsSync(mark)).toBe(false);
  });

  test('with a link in it is refused, and nothing of it is left', async () => {
    await commitTo(repositories, 'linked', notes('1.0.0'));
    const tree = join(repositories, '.tree-linked');
    await symlink('/etc/passwd', join(tree, 'passwd'));
    git(tree, '--git-dir=../linked.git', '--work-tree=.', 'add', '--all', '.');
    git(tree, '--git-dir=../linked.git', '--work-tree=.', 'commit', '-qm', 'Link');
    await expect(open().inspect(`${server.url}/linked.git`)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await leftovers()).toEqual([]);
  });

  test('is refused over protocols and from hosts that the owner does not allow', async () => {
    await commitTo(repositories, 'notes', notes('1.0.0'));
    await configure({});
    const updates = open();
    for (const source of [`${server.url}/notes.git`, `file://${repositories}/notes.git`, 'git://127.0.0.1/notes.git'])
      await expect(updates.inspect(source)).rejects.toMatchObject({
        code: 'forbidden',
        message: expect.stringContaining('luna.git_protocols'),
      });
    await configure({ git_protocols: ['http'], allowed_private_hosts: [] });
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '169.254.169.254'])
      await expect(open().inspect(`http://${host}:${new URL(server.url).port}/notes.git`)).rejects.toMatchObject({
        code: 'forbidden',
        message: expect.stringContaining('allowed_private_hosts'),
      });
    expect(server.asked).toEqual([]);
    await configure({ git_protocols: ['file'] });
    expect(await open().inspect(`file://${repositories}/notes.git`)).toMatchObject({ name: 'notes' });
  });

  test('that is too large is given up while it grows', async () => {
    const noise = createHash('shake256', { outputLength: 3_000_000 }).update('noise').digest('base64');
    await commitTo(repositories, 'large', notes('1.0.0', { 'large.txt': noise }));
    const small = open({ fetching: { maxFetchBytes: 10_000, limits: { maxBytes: 100_000, maxEntries: 100 } } });
    await expect(small.inspect(`${server.url}/large.git`)).rejects.toMatchObject({ code: 'too_large' });
    expect(await leftovers()).toEqual([]);
  });

  test('that does not answer is given up', async () => {
    await commitTo(repositories, 'notes', notes('1.0.0'));
    server.delay = () => new Promise(() => undefined);
    const updates = open({ fetching: { limitMs: 700 } });
    await expect(updates.inspect(`${server.url}/notes.git`)).rejects.toMatchObject({ code: 'timeout' });
    expect(await leftovers()).toEqual([]);
  });
});

describe('a package of npm', () => {
  let registry: NpmRegistry;
  beforeEach(async () => {
    registry = await startNpmRegistry();
    await configure({ npm_registry: registry.url, allowed_private_hosts: [] });
  });
  const files = (version: string) => ({ 'tools/n_tools.js': tool(version), 'config.json': '{"name":"notes"}' });

  test('is installed, the latest or the one that is named', async () => {
    registry.publish('@ada/notes', '1.0.0', files('one'));
    registry.publish('@ada/notes', '2.0.0', files('two'));
    const updates = open();
    expect(await updates.inspect('npm:@ada/notes')).toMatchObject({ revision: '2.0.0', name: 'notes' });
    await install(updates, 'npm:@ada/notes@1.0.0', 'older');
    expect(await installed('older/tools/n_tools.js')).toBe(tool('one'));
    await expect(updates.inspect('npm:@ada/notes@3.0.0')).rejects.toMatchObject({ code: 'not_found' });
    await expect(updates.inspect('npm:none')).rejects.toMatchObject({ code: 'not_found' });
  });

  test.each<[string, string, (release: { dist: Record<string, string> }) => void]>([
    [
      'with another checksum',
      'upstream_error',
      ({ dist }) => (dist.integrity = `sha512-${Buffer.alloc(64).toString('base64')}`),
    ],
    ['with no checksum', 'forbidden', ({ dist }) => delete dist.integrity],
    ['with a weak checksum', 'forbidden', ({ dist }) => (dist.integrity = 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=')],
    [
      'whose archive lies inside the network',
      'forbidden',
      ({ dist }) => (dist.tarball = 'http://169.254.169.254/a.tgz'),
    ],
    ['whose archive is a file', 'upstream_error', ({ dist }) => (dist.tarball = 'file:///etc/passwd')],
  ])('%s is refused', async (_what, code, change) => {
    registry.publish('notes', '1.0.0', files('x'), change);
    await expect(open().inspect('npm:notes')).rejects.toMatchObject({ code });
    expect(await leftovers()).toEqual([]);
  });

  test('that an extension depends on is put into its folder, and no script of it runs', async () => {
    const mark = join(home, 'ran');
    registry.publish('helper', '1.0.0', {
      'package.json': JSON.stringify({
        main: 'index.js',
        scripts: { postinstall: `touch ${mark}`, install: `touch ${mark}` },
      }),
      'index.js': 'module.exports = "helped";',
    });
    const former = { ...process.env };
    Object.assign(process.env, { HOME: home, NPM_CONFIG_REGISTRY: registry.url, npm_config_registry: registry.url });
    try {
      const dependencies = { 'package.json': JSON.stringify({ dependencies: { helper: '^1.0.0' } }) };
      await commitTo(repositories, 'notes', notes('1.0.0', dependencies));
      await configure({ git_protocols: ['http'] });
      const told: string[] = [];
      const updates = open({ onProgress: ({ phase, message }) => told.push(`${phase}: ${message}`) });
      expect(await install(updates, `${server.url}/notes.git`)).toMatchObject({
        queue: null,
        last: { outcome: 'done' },
      });
      expect(await installed('notes/node_modules/helper/index.js')).toContain('helped');
      expect(existsSync(mark)).toBe(false);
      expect(told.map((line) => line.split(':')[0]).filter((phase, at, all) => all[at - 1] !== phase)).toEqual([
        'install',
        'dependencies',
        'config_sync',
      ]);
    } finally {
      for (const name of ['HOME', 'NPM_CONFIG_REGISTRY', 'npm_config_registry'])
        if (former[name] === undefined) delete process.env[name];
        else process.env[name] = former[name];
    }
  });
});

describe('an upload', () => {
  const upload = async (updates: Updates, entries: readonly ZipEntry[]) =>
    (await updates.upload([zipOf(entries)] as unknown as AsyncIterable<Buffer>, 'my notes.zip')).source;

  test('is installed, wrapped in a folder or not', async () => {
    const updates = open();
    const wrapped = await upload(updates, [{ name: 'notes-main/tools/a_tools.js', content: tool('zip') }]);
    expect(wrapped).toMatch(/^upload:my-notes-[0-9a-f]{8}\.zip$/);
    expect(await updates.inspect(wrapped)).toMatchObject({ name: 'my-notes', toolFiles: ['tools/a_tools.js'] });
    await install(updates, wrapped);
    expect(await installed('my-notes/tools/a_tools.js')).toBe(tool('zip'));
  });

  test('may have been made by the Finder of macOS', async () => {
    const updates = open();
    const entries = ['notes/tools/a_tools.js', '__MACOSX/._notes', '__MACOSX/notes/tools/._a_tools.js', '.DS_Store'];
    const zip = await upload(
      updates,
      entries.map((name) => ({ name, content: tool('zip') })),
    );
    expect(await updates.inspect(zip)).toMatchObject({ files: { paths: ['tools/a_tools.js'] } });
  });

  test('that attacks is refused, and nothing is left of it', async () => {
    const updates = open();
    const source = await upload(updates, [
      { name: 'tools/a_tools.js', content: '' },
      { name: '../../evil', content: 'x' },
    ]);
    await expect(updates.inspect(source)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await leftovers()).toEqual([]);
    await expect(updates.inspect('upload:none.zip')).rejects.toMatchObject({ code: 'not_found' });
    const text = [Buffer.from('text')] as unknown as AsyncIterable<Buffer>;
    await expect(updates.upload(text, '../../x')).rejects.toMatchObject({ code: 'invalid_input' });
    expect((await readdir(join(home, '.luna/uploads'))).length).toBe(1);
  });
});

describe('the queue', () => {
  test('updates, keeps the version before, and goes back and forth', async () => {
    const updates = open();
    await commitTo(repositories, 'notes', notes('1.0.0'));
    await install(updates, `${server.url}/notes.git`);
    await mkdir(join(home, 'extensions/notes/data'));
    await writeFile(join(home, 'extensions/notes/data/mine.txt'), 'mine');
    const first = config.config.extensions.notes?.digest;
    await commitTo(repositories, 'notes', notes('2.0.0'));
    expect(await updates.inspect(`${server.url}/notes.git`)).toMatchObject({
      installed: { version: '1.0.0', isSame: false },
    });
    await update(updates, `${server.url}/notes.git`, 'notes');
    expect(await installed('notes/tools/notes_tools.js')).toBe(tool('2.0.0'));
    expect(await installed('notes/data/mine.txt')).toBe('mine');
    expect(await updates.inspect(`${server.url}/notes.git`)).toMatchObject({ installed: { isSame: true } });
    await updates.rollback('notes');
    expect(await installed('notes/tools/notes_tools.js')).toBe(tool('1.0.0'));
    expect(config.config.extensions.notes?.digest).toBe(first);
    await updates.rollback('notes');
    expect(await installed('notes/tools/notes_tools.js')).toBe(tool('2.0.0'));
    await updates.save({ operations: [{ type: 'delete', name: 'notes' }] });
    await applied(updates);
    expect(await readdir(join(home, 'extensions'))).toEqual([]);
    expect(config.config.extensions.notes).toBeUndefined();
    await updates.rollback('notes');
    expect(await installed('notes/tools/notes_tools.js')).toBe(tool('2.0.0'));
    await expect(updates.rollback('none')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('takes back what fails, does the rest, tries again, and is parked after three failures', async () => {
    await commitTo(repositories, 'notes', notes('1.0.0'));
    await commitTo(repositories, 'bad', notes('9.9.9'));
    let broken = true;
    const load = async (name: string) =>
      name === 'bad' && broken
        ? ({ status: 'broken', reason: 'tools/x.js:1: oops' } as const)
        : ({ status: 'ready' } as const);
    const updates = open({ load, state: () => ({ status: 'ready' }), secrets: async () => ['PRESENT', 'MISSING'] });
    const good = await updates.inspect(`${server.url}/notes.git`);
    const bad = await updates.inspect(`${server.url}/bad.git`, { name: 'bad' });
    await updates.save({
      operations: [
        { type: 'install', digest: bad.digest, name: 'bad' },
        { type: 'install', digest: good.digest },
      ],
    });
    expect(await applied(updates)).toMatchObject({
      queue: {
        status: 'failed',
        failures: 1,
        reason: expect.stringContaining('oops'),
        operations: [{ state: 'failed' }, { state: 'done' }],
      },
      last: { outcome: 'failed' },
    });
    expect(await readdir(join(home, 'extensions'))).toEqual(['notes']);
    expect(Object.keys(config.config.extensions)).toEqual(['notes']);
    await applied(updates);
    expect(await applied(updates)).toMatchObject({ queue: { status: 'parked', failures: 3 } });
    await expect(updates.apply()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('oops') });
    expect(await queueFile()).toMatchObject({ status: 'parked', reason: expect.stringContaining('oops') });
    broken = false;
    await updates.save({ operations: [{ type: 'install', digest: bad.digest, name: 'bad' }] });
    expect(await applied(updates)).toMatchObject({ queue: null, last: { outcome: 'done' } });
    expect((await readdir(join(home, 'extensions'))).sort()).toEqual(['bad', 'notes']);
  });

  test('that cannot be done is refused when it is saved', async () => {
    const updates = open();
    await commitTo(repositories, 'notes', notes('1.0.0', { 'package.json': '{"dependencies":{"x":"git+ssh://a/b"}}' }));
    const refused = await updates.inspect(`${server.url}/notes.git`);
    expect(refused.refusals).toEqual([expect.stringContaining('git+ssh://a/b')]);
    await commitTo(repositories, 'fine', notes('1.0.0'));
    const { digest } = await updates.inspect(`${server.url}/fine.git`);
    const unknown = `sha256:${'0'.repeat(64)}`;
    for (const [operation, code] of [
      [{ type: 'install', digest: refused.digest }, 'invalid_input'],
      [{ type: 'install', digest: unknown }, 'not_found'],
      [{ type: 'install', digest, name: '../x' }, undefined],
      [{ type: 'install', digest, source: 'npm:other' }, 'invalid_input'],
      [{ type: 'update', digest, name: 'notes' }, 'not_found'],
      [{ type: 'delete', name: 'notes' }, 'not_found'],
      [{ type: 'delete', name: '..' }, undefined],
      [{ type: 'update_core' }, 'conflict'],
      [{ type: 'install_external_service', name: 'redis' }, 'conflict'],
      [{ type: 'other' }, undefined],
    ] as const)
      await expect(updates.save({ operations: [operation as never] })).rejects.toMatchObject(code ? { code } : {});
    await expect(
      updates.save({ operations: [{ type: 'install', digest }], master_config: { luna: 5 } }),
    ).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(
      updates.save({
        operations: [
          { type: 'install', digest },
          { type: 'install', digest },
        ],
      }),
    ).rejects.toMatchObject({ code: 'conflict' });
    await expect(updates.apply()).rejects.toMatchObject({ code: 'not_found' });
  });

  test.each([
    [{ dependencies: { x: 'git+https://evil.test/x.git' } }],
    [{ dependencies: { x: 'evil/x' } }],
    [{ dependencies: { x: 'https://evil.test/x.tgz' } }],
    [{ dependencies: { x: 'file:../../../outside' } }],
    [{ dependencies: { x: 'link:/etc' } }],
    [{ optionalDependencies: { x: 'git@evil.test:x.git' } }],
    [{ peerDependencies: { x: 'github:evil/x' } }],
    [{ workspaces: ['../../*'] }],
    [{ overrides: { x: 'git+https://evil.test/x.git' } }],
  ])('refuses packages such as %j', async (manifest) => {
    await commitTo(repositories, 'js', notes('1.0.0', { 'package.json': JSON.stringify(manifest) }));
    const { refusals } = await open().inspect(`${server.url}/js.git`);
    expect(refusals).toEqual([expect.stringMatching(/refused|only those of a registry/)]);
  });

  test('refuses a list of exact packages that leads elsewhere', async () => {
    const lock = { lockfileVersion: 3, packages: { 'node_modules/x': { resolved: 'git+ssh://evil.test/x.git#1' } } };
    await commitTo(repositories, 'js', notes('1.0.0', { 'package-lock.json': JSON.stringify(lock) }));
    const { refusals } = await open().inspect(`${server.url}/js.git`);
    expect(refusals).toEqual([expect.stringContaining('evil.test')]);
  });

  test.each([
    ['-r ../../other.txt'],
    ['--index-url=http://evil.test/'],
    ['--no-binary :all:'],
    ['-e .'],
    ['x @ https://evil.test/x.tar.gz'],
    ['./local'],
    ['git+https://evil.test/x'],
  ])('refuses requirements of Python such as %s', async (line) => {
    await commitTo(repositories, 'py', {
      'tools/p_tools.py': 'TOOLS = []\n',
      'requirements.txt': `requests\n${line}\n`,
    });
    const { refusals } = await open().inspect(`${server.url}/py.git`);
    expect(refusals).toEqual([expect.stringContaining('requirements.txt')]);
  });

  test('hands on what others do, and replaces the configuration at the end', async () => {
    const done: unknown[] = [];
    const updates = open({
      installExternalService: async (operation, { onLine }) => {
        onLine('pulling');
        done.push(operation);
      },
      updateCore: async (operation) => void done.push(operation),
    });
    await commitTo(repositories, 'notes', notes('1.0.0'));
    const { digest } = await updates.inspect(`${server.url}/notes.git`);
    await updates.save({
      operations: [
        { type: 'update_core' },
        { type: 'install_external_service', name: 'redis', config: { port: 1 } },
        { type: 'install', digest },
      ],
      master_config: { luna: { timezone: 'Europe/Vienna' } },
    });
    expect(await applied(updates)).toMatchObject({ queue: null });
    expect(done).toMatchObject([{ type: 'install_external_service', config: { port: 1 } }, { type: 'update_core' }]);
    expect(config.config).toMatchObject({ luna: { timezone: 'Europe/Vienna' }, extensions: { notes: { digest } } });
  });

  test('with a copy that somebody changed installs nothing', async () => {
    const updates = open();
    await commitTo(repositories, 'notes', notes('1.0.0'));
    const { digest } = await updates.inspect(`${server.url}/notes.git`);
    await updates.save({ operations: [{ type: 'install', digest }] });
    const file = join(home, '.luna/updates/fetched', digest.slice(7), 'content/tools/notes_tools.js');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, tool('evil'));
    expect(await applied(updates)).toMatchObject({
      queue: { status: 'failed', reason: expect.stringContaining('was changed') },
    });
    expect(await readdir(join(home, 'extensions'))).toEqual([]);
  });

  test('that Luna did not survive is begun again, and counts as failed', async () => {
    await commitTo(repositories, 'notes', notes('1.0.0'));
    const { digest } = await open().inspect(`${server.url}/notes.git`);
    await open().save({ operations: [{ type: 'install', digest }] });
    await writeFile(
      join(home, '.luna/update_queue.json'),
      JSON.stringify({ ...(await queueFile()), status: 'applying' }),
    );
    const again = open();
    await again.recover();
    expect(await queueFile()).toMatchObject({ status: 'failed', failures: 1 });
    await again.resume();
    await again.idle();
    expect(await again.current()).toMatchObject({ queue: null, last: { outcome: 'done' } });
    expect(await installed('notes/tools/notes_tools.js')).toBe(tool('1.0.0'));
  });

  test('whose file is broken is left to the person, and stops nothing', async () => {
    await mkdir(join(home, '.luna'), { recursive: true });
    await writeFile(join(home, '.luna/update_queue.json'), '{ broken');
    const lines: string[] = [];
    const updates = open({ onLog: (line) => lines.push(line) });
    await updates.recover();
    await updates.resume();
    expect(lines.join()).toContain('update_queue.json');
    await expect(updates.current()).rejects.toMatchObject({ code: 'config_invalid' });
    await updates.discard();
    expect(await updates.current()).toEqual({ queue: null, last: null });
  });
});
