import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readArguments, UsageError } from './arguments.ts';
import { FolderError } from './home-folder.ts';
import { readVersions } from './home-package.ts';
import { writeHome } from './write-home.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'create-luna-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const versions = await readVersions();
const home = { template: 'minimal', versions: { ...versions, luna: '1.2.3' }, packages: {} } as const;

describe('the command line', () => {
  test('is read', () => {
    expect(readArguments(['my-luna', '--yes', '--template', 'full', '--package', '@luna/core=file:/a=b.tgz'])).toEqual({
      folder: 'my-luna',
      template: 'full',
      yes: true,
      json: false,
      help: false,
      packages: { '@luna/core': 'file:/a=b.tgz' },
    });
    expect(readArguments([])).toMatchObject({ folder: undefined, template: undefined, yes: false });
  });

  test.each([[['a', 'b']], [['--template', 'huge']], [['--nonsense']], [['--package', 'x']], [['--package', '=x']]])(
    '%j is refused',
    (argv) => {
      expect(() => readArguments(argv)).toThrow(UsageError);
    },
  );
});

describe('a home', () => {
  test('is written, minimal', async () => {
    const folder = join(await temporaryFolder(), 'deep', 'my-luna');
    expect(await writeHome({ ...home, folder })).toBe(folder);
    expect((await readdir(folder)).sort()).toEqual([
      '.env.example',
      '.gitignore',
      'README.md',
      'extensions',
      'luna.sh',
      'master_config.example.json',
      'package.json',
      'tsconfig.json',
    ]);
    const { dependencies, scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    expect(dependencies).toMatchObject({ '@luna/server': '1.2.3', '@luna/core': '1.2.3', node: '24.x' });
    expect(scripts.start).toBe('luna start');
    expect((await stat(join(folder, 'luna.sh'))).mode & 0o111).not.toBe(0);
    expect(await readFile(join(folder, '.gitignore'), 'utf8')).toMatch(/^\.env$/m);
  });

  test('is written, full, with packages from elsewhere', async () => {
    const folder = await temporaryFolder();
    await writeHome({
      ...home,
      folder,
      template: 'full',
      packages: { '@luna/core': 'file:/core.tgz', '@luna/ui': 'file:/ui.tgz' },
    });
    const { dependencies, overrides } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    expect(dependencies).toMatchObject({
      '@luna/core': 'file:/core.tgz',
      '@modelcontextprotocol/server-filesystem': expect.any(String),
    });
    expect(overrides).toEqual({ '@luna/core': '$@luna/core', '@luna/ui': 'file:/ui.tgz' });
    expect((await readdir(join(folder, 'extensions'))).sort()).toEqual(['hello', 'todo']);
    expect(await readFile(join(folder, 'master_config.example.json'), 'utf8')).toContain('mcp-server-filesystem');
  });

  test('is not written over anything', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'precious.txt'), 'kept');
    await expect(writeHome({ ...home, folder })).rejects.toThrow(FolderError);
    await expect(writeHome({ ...home, folder: join(folder, 'precious.txt') })).rejects.toThrow('is a file');
    expect(await readdir(folder)).toEqual(['precious.txt']);
    expect(await readFile(join(folder, 'precious.txt'), 'utf8')).toBe('kept');
  });

  test.each(['with space', 'ünï 日本', "it's $HOME", '-x', '.hidden', 'a&b;c', 'x'.repeat(200)])(
    'is written into a folder with the odd name %j',
    async (name) => {
      const folder = join(await temporaryFolder(), name);
      expect(await writeHome({ ...home, folder, template: 'full' })).toBe(folder);
      expect((await readdir(folder)).length).toBeGreaterThan(8);
    },
  );

  test('leaves nothing of the names under which the template is packed', async () => {
    const folder = await temporaryFolder();
    await writeHome({ ...home, folder, template: 'full' });
    const names = await readdir(folder, { recursive: true });
    expect(names.filter((name) => /(^|\/)_/.test(name))).toEqual([]);
  });

  test('ignores what holds secrets and what is generated', async () => {
    const folder = await temporaryFolder();
    await writeHome({ ...home, folder });
    const ignored = (await readFile(join(folder, '.gitignore'), 'utf8')).split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['node_modules/', 'logs/', '.luna/', '.env', 'master_config.json']));
  });
});
