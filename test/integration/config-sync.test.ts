import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf, put } from './support/homes.ts';
import { startLuna } from './support/luna-process.ts';

test('settings are written back to the files of an extension, and nothing else in them is touched', async () => {
  const manifest = '{\n  // about pets\n  "name": "Pets", "of_nobody": [1,  2]\n}\n';
  const home = await homeOf({
    'extensions/pets/config.json': manifest,
    'extensions/pets/tools/pets_tools.js': fixedTool('pet', 'one'),
    'extensions/pets/tools/tool_config.json': '{ "pet": { "enabled_in_mcp": true, "mine": 1 } }',
    'extensions/plain/tools/plain_tools.js': fixedTool('plain', 'two'),
  });
  const running = await startLuna(home);
  const text = (path: string) => readFile(join(home, 'extensions', path), 'utf8');
  // Nothing differs: nothing is written, and no file is made.
  expect(await text('pets/config.json')).toBe(manifest);
  await expect(stat(join(home, 'extensions/plain/config.json'))).rejects.toThrow();

  expect((await running.api('POST', 'extensions/pets/disable')).status).toBe(200);
  const disabled = await text('pets/config.json');
  expect(disabled).toContain('// about pets');
  expect(disabled).toMatch(/"of_nobody": \[\s*1,\s*2\s*\]/);
  expect(disabled).toMatch(/"enabled": false/);
  expect(disabled).toMatch(/"version": "\d{4}-\d\d-\d\d"/);
  expect((await running.api('POST', 'extensions/pets/enable')).status).toBe(200);
  expect(await text('pets/config.json')).toMatch(/"enabled": true/);

  const config = await (await running.api('GET', 'config/master')).json();
  config.tool_configs.pet = { enabled_in_mcp: false, passthrough: true };
  config.tool_configs.plain = { enabled_in_mcp: false };
  expect((await running.api('PUT', 'config/master', config)).status).toBe(200);
  await eventually(async () => {
    expect(JSON.parse(await text('pets/tools/tool_config.json'))).toEqual({
      pet: { enabled_in_mcp: false, mine: 1, passthrough: true },
    });
    expect(JSON.parse(await text('plain/tools/tool_config.json'))).toEqual({ plain: { enabled_in_mcp: false } });
  });
  // What was there when the version was, stays.
  await running.stop();
  await put(home, 'extensions/pets/config.json', '{ "version": "1.2.3" }');
  const again = await startLuna(home);
  await again.api('POST', 'extensions/pets/disable');
  expect(JSON.parse(await text('pets/config.json'))).toEqual({ version: '1.2.3', enabled: false });
});

test('a broken file of an extension is left as it is', async () => {
  const home = await homeOf({
    'extensions/pets/config.json': '{ "enabled": ',
    'extensions/pets/tools/pets_tools.js': fixedTool('pet', 'one'),
  });
  const running = await startLuna(home);
  await running.api('POST', 'extensions/pets/disable');
  expect(await readFile(join(home, 'extensions/pets/config.json'), 'utf8')).toBe('{ "enabled": ');
});

test('a new configuration names its schema, which is there and fits it', async () => {
  const running = await startLuna(await homeOf({}));
  const config = JSON.parse(await readFile(join(running.home, 'master_config.json'), 'utf8'));
  expect(config.$schema).toBe('./.luna/master_config.schema.json');
  const schema = JSON.parse(await readFile(join(running.home, config.$schema), 'utf8'));
  expect(await (await running.api('GET', 'config/schema')).json()).toEqual(schema);
  const fits = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
  expect([fits(config), fits.errors]).toEqual([true, null]);
  expect(fits({ deployment_mode: 'nowhere' })).toBe(false);
});

test('a replacement over a state that somebody changed is refused, and says where the two differ', async () => {
  const running = await startLuna(await homeOf({}));
  const read = await running.api('GET', 'config/master');
  const headers = {
    authorization: `Bearer ${(await running.env()).SUPERVISOR_API_TOKEN}`,
    'content-type': 'application/json',
    'if-match': read.headers.get('etag') ?? '',
  };
  const mine = { ...(await read.json()), public_domain: 'mine.example' };
  await running.api('POST', 'mcp-servers', { name: 'theirs' });
  const put = (body: string, more: Record<string, string> = {}) =>
    fetch(`${running.url}/api/supervisor/config/master`, { method: 'PUT', headers: { ...headers, ...more }, body });
  const refused = await put(JSON.stringify(mine));
  expect(refused.status).toBe(412);
  const { error } = await refused.json();
  expect(error.code).toBe('stale');
  expect(error.details.differences.sort()).toEqual(['mcp_servers.theirs', 'public_domain']);
  expect(error.details.etag).toBe((await running.api('GET', 'config/master')).headers.get('etag'));
  expect((await put(JSON.stringify(mine), { 'if-match': error.details.etag })).status).toBe(200);

  // No configuration at all is not the one with nothing but defaults.
  expect((await put('', { 'if-match': '*', 'content-type': 'text/plain' })).status).toBe(400);
  expect((await put('x=1', { 'if-match': '*', 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(400);
  const now = JSON.parse(await readFile(join(running.home, 'master_config.json'), 'utf8'));
  expect(now.public_domain).toBe('mine.example');
});
