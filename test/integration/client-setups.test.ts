import { importMcpServers } from '@luna/core/sources';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, onTestFinished, test } from 'vitest';
import { fixedTool, homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';

interface Setup {
  readonly client: string;
  readonly text: string;
  readonly link?: string;
}

async function setupsOf(running: RunningLuna, hub: string): Promise<Map<string, Setup>> {
  const answer = await running.api('GET', `mcp-servers/${hub}/clients`);
  const { clients }: { clients: Setup[] } = await answer.json();
  return new Map(clients.map((setup) => [setup.client, setup]));
}

async function start(): Promise<RunningLuna> {
  const running = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
  await running.api('POST', 'mcp-servers', { name: 'work' });
  return running;
}

test('what a client is given names the hub and its key, in the form that the client reads', async () => {
  const running = await start();
  const [setups, key] = [await setupsOf(running, 'work'), await running.hubKey('work')];
  expect([...setups.keys()]).toEqual(['claude-code', 'claude-desktop', 'cursor', 'vscode']);
  const headers = { Authorization: `Bearer ${key}` };
  const url = running.hubUrl('work').href;
  for (const client of ['claude-code', 'cursor', 'vscode']) {
    const { servers } = importMcpServers(JSON.parse(setups.get(client)?.text ?? ''));
    expect(servers, client).toEqual({ 'luna-work': { enabled: true, url, headers } });
  }

  const cursor = new URL(setups.get('cursor')?.link ?? '');
  expect(cursor.href).toMatch(/^cursor:\/\/anysphere\.cursor-deeplink\/mcp\/install\?/);
  expect(cursor.searchParams.get('name')).toBe('luna-work');
  const config = Buffer.from(cursor.searchParams.get('config') ?? '', 'base64').toString('utf8');
  expect(JSON.parse(config)).toEqual({ url, headers });

  const vscode = setups.get('vscode')?.link ?? '';
  expect(vscode).toMatch(/^vscode:mcp\/install\?/);
  const given = JSON.parse(decodeURIComponent(vscode.slice(vscode.indexOf('?') + 1)));
  expect(given).toEqual({ name: 'luna-work', type: 'http', url, headers });
});

test('what Claude Desktop is given works as it stands, and holds no key', async () => {
  const running = await start();
  const text = (await setupsOf(running, 'work')).get('claude-desktop')?.text ?? '';
  expect(text).not.toContain(await running.hubKey('work'));
  const { command, args } = JSON.parse(text).mcpServers['luna-work'];
  const client = new Client({ name: 'test', version: '1' });
  onTestFinished(() => client.close());
  await client.connect(new StdioClientTransport({ command, args, env: {} }));
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['a']);
});

test('a hub that is not there has no setups, and nobody gets them without signing in', async () => {
  const running = await start();
  expect((await running.api('GET', 'mcp-servers/nobody/clients')).status).toBe(404);
  expect((await running.api('GET', 'mcp-servers/constructor/clients')).status).toBe(404);
  expect((await fetch(`${running.url}/api/supervisor/mcp-servers/work/clients`)).status).toBe(401);
});

test('pasted text may have comments, says what is missing, and where it is broken', async () => {
  const running = await start();
  const paste = (text: string) => running.api('POST', 'remote-mcp/import', { text });
  const good = await paste(
    '{ "servers": { // mine\n "b": { "url": "http://127.0.0.1:9", "headers": { "k": "${B_KEY}" } }, } }',
  );
  expect(await good.json()).toMatchObject({ added: ['b'], skipped: [], missing: [{ key: 'B_KEY', server: 'b' }] });
  const broken = await paste('{ "mcpServers": {\n  nonsense } }');
  expect([broken.status, (await broken.json()).error.message]).toEqual([400, expect.stringContaining('2:')]);
});
