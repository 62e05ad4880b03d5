import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { parseJsonText } from './json-text.ts';
import { ConfigStore } from './store.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-config-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function storeOf(text?: string): Promise<ConfigStore> {
  const file = join(await temporaryFolder(), 'master_config.json');
  if (text !== undefined) await writeFile(file, text);
  const store = await ConfigStore.open({ file });
  onTestFinished(() => store.close());
  return store;
}

const read = (store: ConfigStore) => readFile(store.file, 'utf8');

describe('text of a person', () => {
  const schema = z.looseObject({
    list: z.array(z.number()).optional(),
    deep: z.looseObject({ on: z.boolean() }).optional(),
  });

  test.each([
    ['{\n  "a": 1,\n  b: 2\n}', '3:3'],
    ['', '1:1'],
    ['{ "list": [1, 2', '1:16'],
    ['{\n  "list": [1, "two"]\n}', '2:15: list.1'],
    ['{\n  "deep": {\n    "on": "yes"\n  }\n}', '3:5: deep.on'],
    ['{\n  "deep": {}\n}', '2:3: deep.on'],
    ['[]', '1:1'],
    ['['.repeat(101), '1:101: nested deeper'],
  ])('%j is wrong at %s', (text, place) => {
    expect(() => parseJsonText(text, schema, 'f.json')).toThrow(`f.json:${place}`);
  });

  test('may hold comments and trailing commas', () => {
    expect(parseJsonText('{ // a\n "list": [1, 2,], /* b */ }', schema, 'f')).toEqual({ list: [1, 2] });
  });

  test('pollutes nothing', () => {
    parseJsonText(
      '{ "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } } }',
      schema,
      'f',
    );
    expect('polluted' in {}).toBe(false);
  });
});

describe('the store', () => {
  test('makes the file with defaults, for the owner only', async () => {
    const store = await storeOf();
    expect(store.config).toMatchObject({ deployment_mode: 'local', mcp_servers: {}, luna: { timezone: 'UTC' } });
    expect((await stat(store.file)).mode & 0o777).toBe(0o600);
  });

  test('keeps comments, order, formatting and unknown keys when it changes something', async () => {
    const store = await storeOf(
      '{\n    // mine\n    "odd": { "kept": [1,2] },\n    "public_domain": "a.example", // here\n    "mcp_servers": {}\n}\n',
    );
    await store.update((config) => {
      config.public_domain = 'b.example';
    });
    expect(await read(store)).toBe(
      '{\n    // mine\n    "odd": { "kept": [1,2] },\n    "public_domain": "b.example", // here\n    "mcp_servers": {}\n}\n',
    );
  });

  test('applies changes at the same time one after another', async () => {
    const store = await storeOf();
    const names = Array.from({ length: 20 }, (_, index) => `hub-${index}`);
    await Promise.all(
      names.map((name) =>
        store.update((config) => {
          config.mcp_servers[name] = { enabled: true, tool_config: {} };
        }),
      ),
    );
    expect(Object.keys(JSON.parse(await read(store)).mcp_servers)).toEqual(names);
  });

  test('changes over an edit by hand that it has not heard of yet', async () => {
    const store = await storeOf('{ "public_domain": "a.example" }');
    await writeFile(store.file, '{ "public_domain": "by.hand", "odd": 1 }');
    await store.update((config) => {
      config.deployment_mode = 'ngrok';
    });
    expect(JSON.parse(await read(store))).toEqual({ public_domain: 'by.hand', odd: 1, deployment_mode: 'ngrok' });
  });

  test('keeps the last good content while the file is broken, and does not touch the file', async () => {
    const store = await storeOf('{ "public_domain": "good.example" }');
    await store.watch();
    const told = new Promise((settle) => store.onChange(settle));
    await writeFile(store.file, '{ "public_domain": 7 }');
    await told;
    expect(store.config.public_domain).toBe('good.example');
    expect(store.state.error).toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(`${store.file}:1:3: public_domain`),
    });
    await expect(
      store.update((config) => {
        config.public_domain = 'x';
      }),
    ).rejects.toMatchObject({ code: 'config_invalid' });
    expect(await read(store)).toBe('{ "public_domain": 7 }');

    const repaired = new Promise((settle) => store.onChange(settle));
    await writeFile(store.file, '{ "public_domain": "good.example" }');
    await repaired;
    expect(store.state.error).toBeUndefined();
  });

  test('refuses what does not fit, and who has not seen the present content', async () => {
    const store = await storeOf('{}');
    const { etag } = store.state;
    await expect(
      store.update((config) => {
        config.mcp_servers['Not Legal'] = { enabled: true, tool_config: {} };
      }),
    ).rejects.toMatchObject({ code: 'config_invalid' });
    expect(await read(store)).toBe('{}');
    await store.update(
      (config) => {
        config.public_domain = 'x';
      },
      { ifMatch: etag },
    );
    await expect(
      store.update(
        (config) => {
          config.public_domain = 'y';
        },
        { ifMatch: etag },
      ),
    ).rejects.toMatchObject({ code: 'stale' });
  });

  test('on a full disk the old file stays whole, and it goes on once there is room', async ({ skip }) => {
    const folder = await temporaryFolder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      skip('A small file system cannot be mounted here; run as root to test a full disk.');
    }
    onTestFinished(() => void execFileSync('umount', [folder]));
    const store = await ConfigStore.open({
      file: join(folder, 'master_config.json'),
      initialText: '{ "public_domain": "old.example" }',
    });
    const filler = join(folder, 'filler');
    await writeFile(filler, Buffer.alloc(200 * 1024)).catch(() => undefined);
    const grow = () =>
      store.update((config) => {
        config.public_domain = 'x'.repeat(20_000);
      });
    await expect(grow()).rejects.toMatchObject({ code: 'no_space' });
    expect(await read(store)).toBe('{ "public_domain": "old.example" }');
    await rm(filler);
    await grow();
    expect(store.config.public_domain).toHaveLength(20_000);
    await store.close();
    await chmod(store.file, 0o600);
  });
});
