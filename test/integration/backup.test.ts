import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { create, extract } from 'tar';
import { describe, expect, test } from 'vitest';
import { fixedTool, homeOf, put } from './support/homes.ts';
import { luna, startLuna, temporaryFolder } from './support/luna-process.ts';

const tool = {
  'extensions/greet/tools/greet_tools.js': fixedTool('greet', 'hello'),
  'extensions/@odd/notes.txt': 'kept',
  'external_services/store/config.json': '{ "password": "service-secret" }',
  'external_services/store/data/big.bin': 'of a database',
  'lua/counter/mcp_tool.json': '{ "description": "Counts." }',
  'lua/counter/main.lua': 'return state.incr("n")',
};

async function aBackup(passphrase?: string) {
  const home = await homeOf({ ...tool, '.env': 'MY_KEY=my-secret-value\n' });
  await mkdir(join(home, 'plugins'));
  await symlink('/etc', join(home, 'plugins', 'linked'));
  const running = await startLuna(home);
  const count = () => running.api('POST', 'tools/call', { name: 'counter' });
  await count();
  await count();
  const folder = await temporaryFolder();
  const file = join(folder, 'home.lunabackup');
  const options = ['--home', home, '--json'];
  if (passphrase !== undefined) {
    await writeFile(join(folder, 'passphrase'), `${passphrase}\n`);
    options.push('--passphrase-file', join(folder, 'passphrase'));
  }
  const made = await luna(['backup', file, ...options]);
  expect([made.code, made.stderr]).toEqual([0, '']);
  return { home, running, folder, file, outcome: JSON.parse(made.stdout), withPassphrase: join(folder, 'passphrase') };
}

const read = (home: string, path: string) => readFile(join(home, path), 'utf8');

describe('a backup with a passphrase', () => {
  test('is made while Luna runs, holds no secret in the open, and restores all', async () => {
    const { home, running, folder, file, outcome, withPassphrase } = await aBackup('a long passphrase');
    expect(outcome).toMatchObject({ withSecrets: true, leftOut: ['external_services/store/data', 'plugins/linked'] });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = await running.hubKey();
    const open = join(folder, 'open');
    await mkdir(open);
    await extract({ file, cwd: open });
    await extract({ file: join(open, 'files.tar.gz'), cwd: open });
    expect((await readdir(open)).sort()).toEqual([
      '.luna',
      'extensions',
      'external_services',
      'files.tar.gz',
      'lua',
      'manifest.json',
      'master_config.json',
      'plugins',
      'secrets.sealed',
    ]);
    for (const secret of ['my-secret-value', key]) expect(await read(open, 'master_config.json')).not.toContain(secret);
    expect(await readdir(folder)).toEqual(expect.not.arrayContaining([expect.stringMatching(/^\.luna-/)]));

    expect(await readdir(join(open, 'external_services/store'))).toEqual([]);

    const refused = await luna(['restore', file, '--home', home, '--passphrase-file', withPassphrase, '--json']);
    expect([refused.code, JSON.parse(refused.stderr).error.code]).toEqual([1, 'already_running']);
    const config = await read(home, 'master_config.json');
    const env = await read(home, '.env');
    await running.stop();

    // Into a folder that is not there yet.
    const elsewhere = join(folder, 'elsewhere');
    const restored = await luna(['restore', file, '--home', elsewhere, '--passphrase-file', withPassphrase]);
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect(await read(elsewhere, 'master_config.json')).toBe(config);
    expect(await read(elsewhere, '.env')).toBe(env);
    expect(await read(elsewhere, 'external_services/store/config.json')).toContain('service-secret');
    expect(await read(elsewhere, 'extensions/@odd/notes.txt')).toBe('kept');
    for (const path of ['.env', 'master_config.json', '.luna/luna.db'])
      expect([path, (await stat(join(elsewhere, path))).mode & 0o777]).toEqual([path, 0o600]);
    const again = await startLuna(elsewhere);
    const answer = await (await again.api('POST', 'tools/call', { name: 'counter' })).json();
    expect(answer.result.content[0].text).toBe('3');

    // Over a home that is there: what was in it is moved aside.
    await writeFile(join(home, 'mine.txt'), 'of later');
    const over = await luna(['restore', file, '--home', home, '--passphrase-file', withPassphrase, '--json']);
    const { formerHome } = JSON.parse(over.stdout);
    expect(await read(formerHome, 'mine.txt')).toBe('of later');
    expect(await readdir(home)).not.toContain('mine.txt');
    expect(await readdir(join(formerHome, '.luna'))).not.toContain('lock.json');
    await rm(formerHome, { recursive: true });
  }, 120_000);

  test('opens with no other passphrase, and not when it was changed', async () => {
    const { folder, file, withPassphrase, running } = await aBackup('a long passphrase');
    await running.stop();
    const target = join(folder, 'target');
    const restore = async (from: string, passphrase: string) => {
      const outcome = await luna(['restore', from, '--home', target, '--passphrase-file', passphrase, '--json']);
      expect(await readdir(folder)).not.toContain('target');
      return [outcome.code, JSON.parse(outcome.stderr).error.code];
    };
    await writeFile(join(folder, 'wrong'), 'another passphrase');
    expect(await restore(file, join(folder, 'wrong'))).toEqual([1, 'forbidden']);
    expect(await restore(file, join(folder, 'absent'))).toEqual([1, 'invalid_input']);
    const bytes = await readFile(file);
    const changed = join(folder, 'changed');
    for (const at of [Math.floor(bytes.length / 2), bytes.length - 3_000]) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      await writeFile(changed, other);
      const [code] = await restore(changed, withPassphrase);
      expect(code).toBe(1);
    }
    for (const text of ['', 'no archive', bytes.subarray(0, bytes.length / 2)]) {
      await writeFile(changed, text);
      expect(await restore(changed, withPassphrase)).toEqual([1, 'invalid_input']);
    }
    expect((await luna(['restore', file, '--home', target, '--json'])).code).toBe(1);
    await writeFile(join(folder, 'short'), 'short');
    const short = await luna(['backup', changed, '--home', running.home, '--passphrase-file', join(folder, 'short')]);
    expect([short.code, short.stderr]).toEqual([1, expect.stringContaining('too short')]);
  }, 120_000);
});

test('without a passphrase secrets are left out, it says so, and those of the home stay', async () => {
  const { home, running, folder, file, outcome } = await aBackup();
  expect(outcome.withSecrets).toBe(false);
  expect((await luna(['backup', join(folder, 'b'), '--home', home])).stdout).toContain('What is secret was left out');
  const [env, config] = [await read(home, '.env'), await read(home, 'master_config.json')];
  await running.stop();
  await rm(join(home, 'extensions'), { recursive: true });
  const restored = await luna(['restore', file, '--home', home]);
  expect([restored.code, restored.stdout]).toEqual([0, expect.stringContaining('Secrets were not restored')]);
  expect([await read(home, '.env'), await read(home, 'master_config.json')]).toEqual([env, config]);
  expect(await read(home, 'extensions/greet/tools/greet_tools.js')).toContain('hello');
  const database = new DatabaseSync(join(home, '.luna/luna.db'), { readOnly: true });
  expect(database.prepare('SELECT value FROM lua_state').all()).toEqual([{ value: '2' }]);
  database.close();
}, 120_000);

test('an archive that attacks is refused, and nothing is written outside', async () => {
  const folder = await temporaryFolder();
  const inner = join(folder, 'inner');
  await put(inner, 'master_config.json', '{}');
  await symlink('/tmp', join(inner, 'link'));
  await put(folder, 'outside.txt', 'x');
  const attacks: Record<string, string[]> = {
    link: ['master_config.json', 'link'],
    outside: ['master_config.json', '../outside.txt'],
    absolute: ['master_config.json', join(folder, 'outside.txt')],
  };
  for (const [name, paths] of Object.entries(attacks)) {
    const stage = join(folder, name);
    await mkdir(stage);
    const files = join(stage, 'files.tar.gz');
    await create({ cwd: inner, file: files, gzip: true, preservePaths: true }, paths);
    const sha256 = createHash('sha256')
      .update(await readFile(files))
      .digest('hex');
    const config = createHash('sha256').update('{}').digest('hex');
    const manifest = { format: 1, version: '0', createdAt: 'now', files: { sha256 }, config: { sha256: config } };
    await put(stage, 'master_config.json', '{}');
    await put(stage, 'manifest.json', JSON.stringify(manifest));
    const file = join(folder, `${name}.backup`);
    await create({ cwd: stage, file }, ['manifest.json', 'files.tar.gz', 'master_config.json']);
    const target = join(folder, 'homes', name);
    const outcome = await luna(['restore', file, '--home', target, '--json']);
    expect([name, outcome.code, JSON.parse(outcome.stderr).error.code]).toEqual([name, 1, 'invalid_input']);
    expect(await readdir(join(folder, 'homes'))).toEqual([]);
  }
});
