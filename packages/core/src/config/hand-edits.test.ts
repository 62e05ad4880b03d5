import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeFileDurably } from './atomic-file.ts';
import { type ConfigState, ConfigStore } from './store.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-config-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A store that watches its file, and all that it told. */
async function watched(text: string): Promise<{ store: ConfigStore; told: ConfigState[] }> {
  const file = join(await temporaryFolder(), 'master_config.json');
  await writeFile(file, text);
  const store = await ConfigStore.open({ file });
  onTestFinished(() => store.close());
  await store.watch();
  const told: ConfigState[] = [];
  store.onChange((state) => told.push(state));
  return { store, told };
}

const domain = (name: string) => `{ "public_domain": "${name}" }`;
const setDomain = (store: ConfigStore, name: string, ifMatch?: string) =>
  store.update(
    (config) => {
      config.public_domain = name;
    },
    { ifMatch },
  );

describe('an edit by hand', () => {
  test('is heard of, however the editor saves', async () => {
    const { store } = await watched(domain('one'));
    const now = () => store.config.public_domain;
    writeFileSync(store.file, domain('in place'));
    await expect.poll(now).toBe('in place');
    await writeFile(`${store.file}.swp`, domain('renamed'));
    await rename(`${store.file}.swp`, store.file);
    await expect.poll(now).toBe('renamed');
    await unlink(store.file);
    writeFileSync(store.file, domain('made anew'));
    await expect.poll(now).toBe('made anew');
  });

  test('of another file in the folder is not', async () => {
    const { store, told } = await watched(domain('one'));
    await writeFile(join(dirname(store.file), 'other.json'), '{}');
    writeFileSync(store.file, domain('two'));
    await expect.poll(() => told.length).toBe(1);
    expect(told[0]?.config.public_domain).toBe('two');
  });

  test('that broke the file is told once, and not written over until it is repaired', async () => {
    const { store, told } = await watched('{\n  "public_domain": "good"\n}\n');
    const broken = '{\n  "public_domain": "better",\n  "mcp_servers": {\n}\n';
    writeFileSync(store.file, broken);
    await expect.poll(() => store.state.error?.message).toContain(`${store.file}:5:1: not valid JSON`);
    expect(store.state.error?.details).toEqual({ file: store.file, line: 5, column: 1 });
    expect(store.config.public_domain).toBe('good');
    const refusal = await setDomain(store, 'by Luna').catch((error) => error);
    expect(refusal).toMatchObject({ code: 'config_invalid', details: { line: 5, column: 1 } });
    expect(refusal.message).toContain('Repair the file first');
    expect(await readFile(store.file, 'utf8')).toBe(broken);
    expect(told).toHaveLength(1);

    writeFileSync(store.file, domain('better'));
    await expect.poll(() => store.state.error).toBeUndefined();
    expect(store.config.public_domain).toBe('better');
    await setDomain(store, 'by Luna');
    expect(JSON.parse(await readFile(store.file, 'utf8'))).toEqual({ public_domain: 'by Luna' });
  });

  test('makes an earlier etag stale', async () => {
    const { store } = await watched(domain('one'));
    const { etag } = store.state;
    writeFileSync(store.file, domain('two'));
    await expect(setDomain(store, 'three', etag)).rejects.toMatchObject({ code: 'stale' });
    expect(await readFile(store.file, 'utf8')).toBe(domain('two'));
    expect(store.state.etag).not.toBe(etag);
    await setDomain(store, 'three', store.state.etag);
    expect(store.config.public_domain).toBe('three');
  });
});

describe('a change', () => {
  test('is told once, though the file is watched', async () => {
    const { store, told } = await watched(domain('one'));
    await setDomain(store, 'two');
    // The watcher hears of both files; the second one shows that it has heard of the first.
    writeFileSync(store.file, domain('three'));
    await expect.poll(() => store.config.public_domain).toBe('three');
    expect(told.map(({ config }) => config.public_domain)).toEqual(['two', 'three']);
  });

  test('that changes nothing writes nothing', async () => {
    const { store, told } = await watched(domain('one'));
    const before = await stat(store.file);
    await setDomain(store, 'one');
    expect((await stat(store.file)).ino).toBe(before.ino);
    expect(told).toEqual([]);
  });

  test('that throws, or does not fit, leaves all as it was, also what is in force', async () => {
    const { store, told } = await watched(domain('one'));
    const failing = store.update((config) => {
      config.public_domain = 'half done';
      throw new Error('no more');
    });
    await expect(failing).rejects.toThrow('no more');
    const wrong = store.update((config) => {
      config.remote_mcp_servers.a = { enabled: true };
    });
    await expect(wrong).rejects.toMatchObject({ code: 'config_invalid' });
    expect(store.config).toMatchObject({ public_domain: 'one', remote_mcp_servers: {} });
    expect(await readFile(store.file, 'utf8')).toBe(domain('one'));
    expect(told).toEqual([]);
    await setDomain(store, 'two');
    expect(store.config.public_domain).toBe('two');
  });

  test('works on a copy: what is in force cannot be changed past the file', async () => {
    const { store } = await watched(domain('one'));
    const before = store.config;
    await setDomain(store, 'two');
    expect(before.public_domain).toBe('one');
  });

  test('leaves nothing beside the file, which only its owner can read', async () => {
    const { store } = await watched(domain('one'));
    await chmod(store.file, 0o644);
    await Promise.all(['a', 'b', 'c'].map((name) => setDomain(store, name)));
    expect(await readdir(dirname(store.file))).toEqual(['master_config.json']);
    expect((await stat(store.file)).mode & 0o777).toBe(0o600);
  });

  test('of a file that is a link changes what the link names', async () => {
    const folder = await temporaryFolder();
    const [real, file] = [join(folder, 'real.json'), join(folder, 'master_config.json')];
    await writeFile(real, domain('one'));
    await symlink(real, file);
    const store = await ConfigStore.open({ file });
    onTestFinished(() => store.close());
    await setDomain(store, 'two');
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    expect(JSON.parse(await readFile(real, 'utf8'))).toEqual({ public_domain: 'two' });
  });
});

describe('opening', () => {
  test('makes the file from the text that was given, comments and all', async () => {
    const file = join(await temporaryFolder(), 'deep', 'master_config.json');
    const initialText = '{\n  // the first\n  "public_domain": "x"\n}\n';
    const store = await ConfigStore.open({ file, initialText });
    expect(await readFile(file, 'utf8')).toBe(initialText);
    expect(store.document()).toEqual({ public_domain: 'x' });
    expect(store.config.deployment_mode).toBe('local');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('makes no file from a text that does not fit', async () => {
    const file = join(await temporaryFolder(), 'master_config.json');
    const opening = ConfigStore.open({ file, initialText: '{ "luna": 7 }' });
    await expect(opening).rejects.toMatchObject({ code: 'config_invalid' });
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('leaves a broken file as it is', async () => {
    const file = join(await temporaryFolder(), 'master_config.json');
    await writeFile(file, '{ "luna": ');
    await expect(ConfigStore.open({ file })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(`${file}:1:11: `),
    });
    expect(await readFile(file, 'utf8')).toBe('{ "luna": ');
  });
});

test('no acknowledged change is lost when the process is killed', async () => {
  const file = join(await temporaryFolder(), 'master_config.json');
  const writer = fileURLToPath(new URL('../../test/fixtures/config-writer.ts', import.meta.url));
  for (const acknowledgements of [3, 7, 12]) {
    const child = spawn(process.execPath, [writer, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const acknowledged: string[] = [];
    const lines = createInterface({ input: child.stdout }).on('line', (line) => {
      acknowledged.push(line);
      if (acknowledged.length === acknowledgements) child.kill('SIGKILL');
    });
    await Promise.all([once(child, 'exit'), once(lines, 'close')]);
    const { agent_presets } = JSON.parse(await readFile(file, 'utf8'));
    expect(acknowledged.length).toBeGreaterThanOrEqual(acknowledgements);
    expect(Object.keys(agent_presets)).toEqual(expect.arrayContaining(acknowledged));
  }
});

describe('a file that is written durably', () => {
  test('gets its folder, its mode and its whole content', async () => {
    const file = join(await temporaryFolder(), 'a', 'b', 'file');
    await writeFileDurably(file, 'x'.repeat(100_000), 0o640);
    expect(await readFile(file, 'utf8')).toHaveLength(100_000);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  test('cannot be where a file is the folder, which is said with the name', async () => {
    const blocker = join(await temporaryFolder(), 'blocker');
    await writeFile(blocker, '');
    await expect(writeFileDurably(join(blocker, 'file'), 'x')).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining(join(blocker, 'file')),
    });
  });
});
