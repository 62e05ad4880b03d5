import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { migrateFile, migrateText } from './migrate.ts';
import { ConfigStore } from './store.ts';

const text = `{
  "kept": [1,  2], // mine
  "between": true,
  "domain": "luna.example"
}
`;
const renamed = {
  1: (document: Record<string, unknown>) => {
    document.public_domain = document.domain;
    delete document.domain;
  },
};

async function fileOf(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-migrate-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'master_config.json');
  await writeFile(file, content, { mode: 0o600 });
  return file;
}

test('a file of an older form is brought to the present one, and kept beside it', async () => {
  const file = await fileOf(text);
  const migrated = await migrateFile(file, text, { to: 2, by: renamed });
  expect(await readFile(file, 'utf8')).toBe(migrated);
  expect(migrated).toContain('// mine');
  expect(migrated).toContain('"kept": [1,  2]');
  expect(migrated).toContain('"public_domain": "luna.example"');
  expect(migrated).not.toContain('"domain"');
  expect(migrateText(migrated, file, { to: 2, by: renamed })).toBe(migrated);
  expect(await readFile(`${file}.v1`, 'utf8')).toBe(text);
  expect((await stat(`${file}.v1`)).mode & 0o777).toBe(0o600);
});

test('a file of the present form is left alone', async () => {
  const file = await fileOf(text);
  expect(await migrateFile(file, text)).toBe(text);
  await expect(stat(`${file}.v1`)).rejects.toThrow();
});

test('a file of a newer Luna is refused with its place', async () => {
  const file = await fileOf('{\n  "luna": { "config_version": 99 }\n}');
  await expect(ConfigStore.open({ file })).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringMatching(/master_config\.json:2:\d+: luna\.config_version: .*newer Luna/),
  });
});

test('what is no configuration is refused as ever', async () => {
  for (const wrong of ['[]', '', '{ "luna": { "config_version": "two" } }', '{ "luna": 3 }']) {
    const file = await fileOf(wrong);
    await expect(ConfigStore.open({ file })).rejects.toMatchObject({ code: 'config_invalid' });
    expect(await readFile(file, 'utf8')).toBe(wrong);
  }
});
