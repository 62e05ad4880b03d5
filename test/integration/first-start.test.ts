import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectHttp } from './support/clients.ts';
import { fixedTool, homeOf } from './support/homes.ts';
import { luna, startLuna, temporaryFolder } from './support/luna-process.ts';

describe('the first start', () => {
  test('makes a home, keys that only the owner can read, and a hub', async () => {
    const home = join(await temporaryFolder(), 'new');
    const running = await startLuna(home);

    const env = await running.env();
    expect(env.SUPERVISOR_API_TOKEN).toMatch(/^luna-admin-.{32}$/);
    expect(env.MCP_SERVER_DEFAULT_API_KEY).toMatch(/^luna-hub-.{32}$/);
    for (const file of ['.env', 'master_config.json']) expect((await stat(join(home, file))).mode & 0o777).toBe(0o600);
    const config = JSON.parse(await readFile(join(home, 'master_config.json'), 'utf8'));
    expect(config.mcp_servers.default.api_key).toBe(env.MCP_SERVER_DEFAULT_API_KEY);
    expect(await (await fetch(`${running.url}/readyz`)).json()).toMatchObject({ status: 'ok' });
    expect(await running.stop()).toBe(0);
  });

  test('keeps keys and hubs at the second start', async () => {
    const home = await homeOf({});
    const first = await startLuna(home);
    const env = await first.env();
    await first.stop();
    const second = await startLuna(home);
    expect(await second.env()).toEqual(env);
  });

  test('takes the configuration that a home brings as an example', async () => {
    const home = await homeOf({
      'master_config.example.json':
        '{\n  // for the team\n  "tool_configs": { "secret": { "enabled_in_mcp": false } }\n}\n',
      'extensions/one/tools/one_tools.js': fixedTool('open', 'yes'),
      'extensions/two/tools/two_tools.js': fixedTool('secret', 'no'),
    });
    const running = await startLuna(home);
    expect(await readFile(join(home, 'master_config.json'), 'utf8')).toContain('// for the team');
    const client = await connectHttp('client 2.x, 2026-07-28', running);
    expect((await client.tools()).map((tool) => tool.name)).toEqual(['open']);
  });

  test('prints a link, the hub and a snippet that work', async () => {
    const home = await homeOf({ 'extensions/one/tools/one_tools.js': fixedTool('one', '1') });
    const running = await startLuna(home);
    const snippet = JSON.parse((await luna(['mcp', '--json', '--home', home])).stdout).mcpServers.luna;
    expect(snippet).toEqual({
      type: 'http',
      url: String(running.hubUrl()),
      headers: { Authorization: `Bearer ${await running.hubKey()}` },
    });
    expect(running.signInLink).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/sign-in#token=.{32}$/);
  });

  test('is refused on a home that is in use, naming the process', async () => {
    const running = await startLuna(await homeOf({}));
    const second = await luna(['start', '--home', running.home, '--port', '0']);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`as process ${running.child.pid}`);
    expect((await fetch(`${running.url}/health`)).status).toBe(200);
  });

  test('names a port that is taken, and leaves its owner alone', async () => {
    const owner = await startLuna(await homeOf({}));
    const port = new URL(owner.url).port;
    const home = await homeOf({});
    const other = await luna(['start', '--home', home, '--port', port]);
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining(`Port ${port} on 127.0.0.1 is taken`) });
    expect((await fetch(`${owner.url}/health`)).status).toBe(200);
    await startLuna(home);
  });

  test('refuses an address that others reach unless that is meant', async () => {
    const refused = await luna(['start', '--home', await homeOf({}), '--host', '0.0.0.0', '--port', '0']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--allow-external') });
  });
});
