import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf, put, stdioServer } from './support/homes.ts';
import { luna, startLuna } from './support/luna-process.ts';

const written = `{
  // What a person wrote stays as it is.
  "deployment_mode": "local",
  "mcp_servers": {
      "team":   { "enabled": true, "api_key": "luna-hub-of-the-team-0123" }, // theirs
  },
  "remote_mcp_servers": {
    "small": ${JSON.stringify({ ...stdioServer, env: { A_TOKEN: '${A_TOKEN:-none}' } })},
    "far": { "enabled": false, "url": "https://far.example/mcp", "headers": { "Authorization": "Bearer \${FAR_TOKEN}" } }
  },
  "of_nobody": { "kept": [1, 2,  3] }
}
`;

test('export, wipe and apply gives the same bytes, and no secret is in the export', async () => {
  const home = await homeOf({
    'master_config.json': written,
    'extensions/greet/tools/greet_tools.js': fixedTool('greet', 'hello'),
  });
  const file = join(home, 'master_config.json');
  const running = await startLuna(home);
  const before = await readFile(file, 'utf8');
  const exported = join(home, 'exported.json');
  expect(await luna(['export', exported, '--home', home])).toMatchObject({ code: 0, stderr: '' });
  const text = await readFile(exported, 'utf8');
  expect(text).toContain('"api_key": "${MCP_SERVER_TEAM_API_KEY}"');
  for (const secret of ['luna-hub-of-the-team-0123', await running.hubKey('team')]) expect(text).not.toContain(secret);
  expect(text).toContain('// What a person wrote stays as it is.');
  expect((await luna(['export', '--home', home])).stdout).toBe(text);

  // Nothing differs while nothing was wiped.
  expect((await luna(['apply', exported, '--dry-run', '--home', home])).stdout).toMatch(/^Nothing differs\.\n/);
  await running.stop();
  await rm(file);
  const again = await startLuna(home);
  expect(await readFile(file, 'utf8')).not.toBe(before);
  const dry = await luna(['apply', exported, '--dry-run', '--home', home]);
  expect(dry.stdout).toContain('+ remote_mcp_servers: ');
  expect(dry.stdout).toContain('Nothing was changed');
  expect(await readFile(file, 'utf8')).not.toBe(before);

  const applied = await luna(['apply', exported, '--home', home]);
  expect([applied.code, applied.stdout]).toEqual([0, expect.stringContaining('Applied.')]);
  expect(applied.stdout).toContain('Not in .env: FAR_TOKEN.');
  expect(applied.stdout).not.toContain('luna-hub-of-the-team');
  expect(await readFile(file, 'utf8')).toBe(before);
  // In force: the server runs, the hub answers.
  const { sources } = await (await again.api('GET', 'status')).json();
  expect(sources).toContainEqual(
    expect.objectContaining({ id: 'small', health: expect.objectContaining({ status: 'ready' }) }),
  );
  const list = await fetch(again.hubUrl('team'), { headers: { authorization: 'Bearer luna-hub-of-the-team-0123' } });
  expect(list.status).not.toBe(401);
  await again.stop();

  // The same with nothing that runs.
  await rm(file);
  expect((await luna(['apply', exported, '--home', home])).code).toBe(0);
  expect(await readFile(file, 'utf8')).toBe(before);
}, 120_000);

test('a home without the keys gets the hubs with keys of its own', async () => {
  const from = await homeOf({ 'master_config.json': written });
  const exported = join(from, 'exported.json');
  await luna(['export', exported, '--home', from]);
  const home = await homeOf({});
  const running = await startLuna(home);
  const applied = await luna(['apply', exported, '--home', home, '--json']);
  expect(JSON.parse(applied.stdout)).toMatchObject({
    applied: true,
    missing: ['FAR_TOKEN', 'MCP_SERVER_TEAM_API_KEY'],
  });
  expect(await running.hubKey('team')).toMatch(/^luna-hub-.{20}/);
});

test('an export that is copied over the configuration opens no hub, and costs no key', async () => {
  const home = await homeOf({ 'master_config.json': written });
  const file = join(home, 'master_config.json');
  const running = await startLuna(home);
  const key = await running.hubKey('team');
  const { stdout } = await luna(['export', '--home', home]);
  const statusWith = async (bearer: string) =>
    (await fetch(running.hubUrl('team'), { headers: { authorization: `Bearer ${bearer}` } })).status;
  await writeFile(file, `${stdout.replace('"luna"', '"copied": true, "luna"')}`);
  await eventually(async () => {
    const text = await readFile(file, 'utf8');
    expect([text.includes('"copied"'), text.includes(`"api_key": "${key}"`)]).toEqual([true, true]);
  });
  await eventually(async () => expect(await statusWith('${MCP_SERVER_TEAM_API_KEY}')).toBe(401));
  expect(await statusWith(key)).not.toBe(401);
  expect(await running.env()).toMatchObject({ MCP_SERVER_TEAM_API_KEY: key });
  await writeFile(file, stdout.replaceAll('MCP_SERVER_TEAM_API_KEY', 'A_KEY_THAT_IS_NOWHERE'));
  await eventually(async () => expect(await running.hubKey('team')).toMatch(/^luna-hub-.{20}/));
});

test('secrets that stand in the file itself become references, and are told', async () => {
  const home = await homeOf({
    'master_config.json': JSON.stringify({
      remote_mcp_servers: {
        'my-pets': { url: 'https://pets.example/mcp', headers: { 'X-Api-Key': 'pets-secret-1', Accept: 'a/b' } },
        tool: { command: 'x', env: { GITHUB_TOKEN: 'ghp-secret-2', LEVEL: 'high' } },
        auth: { url: 'https://auth.example/mcp', oauth: { client_id: 'me', client_secret: 'secret-3' } },
      },
    }),
  });
  const { stdout, stderr } = await luna(['export', '--home', home]);
  expect(stdout).not.toMatch(/secret-\d/);
  expect(JSON.parse(stdout).remote_mcp_servers).toEqual({
    'my-pets': { url: 'https://pets.example/mcp', headers: { 'X-Api-Key': '${MY_PETS_X_API_KEY}', Accept: 'a/b' } },
    tool: { command: 'x', env: { GITHUB_TOKEN: '${TOOL_GITHUB_TOKEN}', LEVEL: 'high' } },
    auth: { url: 'https://auth.example/mcp', oauth: { client_id: 'me', client_secret: '${AUTH_CLIENT_SECRET}' } },
  });
  expect(stderr.match(/Note: /g)).toHaveLength(3);
});

test('what cannot be applied changes nothing', async () => {
  const home = await homeOf({ 'master_config.json': written });
  const running = await startLuna(home);
  const before = await readFile(join(home, 'master_config.json'), 'utf8');
  for (const text of [
    '',
    '[]',
    'no json',
    '{ "mcp_servers": { "Bad Name": {} } }',
    '{ "extensions": 3 }',
    '{"a":'.repeat(200),
    '{ "mcp_servers": { "a": { "api_key": "short" } } }',
  ]) {
    await put(home, 'wrong.json', text);
    const outcome = await luna(['apply', join(home, 'wrong.json'), '--home', home, '--json']);
    expect([text.slice(0, 40), outcome.code, JSON.parse(outcome.stderr).error.code]).toEqual([
      text.slice(0, 40),
      1,
      'config_invalid',
    ]);
  }
  expect((await luna(['apply', join(home, 'absent.json'), '--home', home])).code).toBe(1);
  const stale = await fetch(`${running.url}/api/supervisor/config/apply`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${(await running.env()).SUPERVISOR_API_TOKEN}`,
      'content-type': 'application/json',
      'if-match': '"another"',
    },
    body: JSON.stringify({ text: '{}' }),
  });
  expect(stale.status).toBe(412);
  expect(await readFile(join(home, 'master_config.json'), 'utf8')).toBe(before);

  await writeFile(join(home, 'exported.json'), before);
  const imported = await luna(['import', join(home, 'exported.json'), '--home', home]);
  expect([imported.code, imported.stderr]).toEqual([1, expect.stringContaining('luna apply')]);
}, 120_000);
