import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectHttp } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';

const greeting = 'if [ "$1" = --help ]; then echo "Usage: greet <name>"; exit; fi\necho "Hello, $1"\n';
const other = 'export const TOOLS = [{ name: "other", description: "Other.", handler: () => "other" }];\n';

async function healthOf(luna: RunningLuna, hub = 'default', key?: string): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${key ?? (await luna.hubKey(hub))}` };
  const response = await fetch(`${luna.hubUrl(hub)}/health`, { headers });
  return { status: response.status, body: await response.json() };
}

test('a hub tells its clients how the plugins are that it serves, by a tool and at an address', async () => {
  const home = await homeOf({
    'plugins/greet/cli.sh': greeting,
    'plugins/broken/cli.sh': 'echo "no such module" >&2\nexit 3\n',
    'extensions/o/tools/o_tools.js': other,
    'master_config.json': JSON.stringify({
      mcp_servers: {
        default: {},
        bare: { tool_config: { greet: { enabled_in_mcp: false } } },
        quiet: { plugin_health: false },
      },
    }),
  });
  const luna = await startLuna(home);
  const expected = {
    hub: 'default',
    status: 'degraded',
    plugins: [
      { name: 'broken', status: 'down', tools: 0, reason: expect.stringContaining('no such module') },
      { name: 'greet', status: 'ready', tools: 1 },
    ],
  };
  expect(await healthOf(luna)).toMatchObject({ status: 200, body: expected });
  const client = await connectHttp('client 2.x, 2026-07-28', luna);
  expect((await client.call('health')).structuredContent).toMatchObject(expected);

  // The tool is where a plugin is, unless somebody wants it otherwise; the address is there always, for its key.
  const names = async (hub: string) => {
    const tools = await (await connectHttp('sdk 1.x, 2025-11-25', luna, hub)).tools();
    return tools.map(({ name }) => name).sort();
  };
  expect(await names('default')).toEqual(['greet', 'health', 'other']);
  expect(await names('bare')).toEqual(['other']);
  expect(await names('quiet')).toEqual(['greet', 'other']);
  expect(await healthOf(luna, 'bare')).toMatchObject({
    status: 200,
    body: { tools: 1, plugins: [{ name: 'broken' }] },
  });
  expect((await healthOf(luna, 'default', 'not-the-key-of-any-hub')).status).toBe(401);
  expect((await fetch(`${luna.url}/api/mcp/health`)).status).toBe(401);

  // It tells of changes at once.
  await rm(join(home, 'plugins/broken'), { recursive: true });
  await eventually(async () => expect((await healthOf(luna)).body).toMatchObject({ status: 'ok', plugins: [{}] }));
});

test("a tool of somebody else's that is called health keeps its name", async () => {
  const home = await homeOf({ 'plugins/greet/cli.sh': greeting });
  const luna = await startLuna(home);
  const client = await connectHttp('client 2.x, 2025-11-25', luna);
  expect((await client.call('health')).structuredContent).toMatchObject({ status: 'ok' });
  await mkdir(join(home, 'extensions/mine/tools'), { recursive: true });
  await writeFile(join(home, 'extensions/mine/tools/mine_tools.js'), other.replaceAll('other', 'health'));
  await eventually(async () =>
    expect((await client.call('health')).content).toEqual([{ type: 'text', text: 'health' }]),
  );
  expect((await client.tools()).map(({ name }) => name).sort()).toEqual(['greet', 'health']);
});
