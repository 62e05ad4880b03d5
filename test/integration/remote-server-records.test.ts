import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../packages/core/test/fixtures/eventually.ts';
import { type FeatureHttpServer, startFeatureServer } from '../../packages/core/test/fixtures/feature-http-server.ts';
import { sendResult, startRawServer } from '../../packages/core/test/fixtures/raw-http-server.ts';
import { homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';

async function setUp(): Promise<{ running: RunningLuna; server: FeatureHttpServer }> {
  const server = await startFeatureServer('v1 streamable');
  onTestFinished(() => server.close());
  const config = { remote_mcp_servers: { near: { url: server.url.href, title: 'Near' } } };
  return { server, running: await startLuna(await homeOf({ 'master_config.json': JSON.stringify(config) })) };
}

const manifestOf = async ({ home }: RunningLuna) =>
  JSON.parse(await readFile(join(home, '.luna', 'remote_mcp_tools_manifest.json'), 'utf8')).servers;

async function sessionsOf({ home }: RunningLuna) {
  const text = await readFile(join(home, 'logs', 'remote_mcp_sessions.log'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('what happens with a server is logged: connected on what terms, lost why, refused why', async () => {
  const { running, server } = await setUp();
  await eventually(() => sessionsOf(running)).toMatchObject([
    {
      server: 'near',
      event: 'connected',
      transport: 'http',
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'features' },
    },
  ]);
  await server.close();
  await running.api('POST', 'remote-mcp/near/test');
  await running.api('POST', 'remote-mcp/near/test');
  await eventually(async () => (await sessionsOf(running)).slice(1, 3)).toMatchObject([
    { server: 'near', event: 'lost', code: 'source_unavailable' },
    { server: 'near', event: 'refused', code: 'source_unavailable', reason: expect.stringContaining('ECONNREFUSED') },
  ]);
});

test('the tools of each server stand in the manifest, also while it is down, until it is removed', async () => {
  const { running, server } = await setUp();
  await eventually(() => manifestOf(running).catch(() => undefined)).toMatchObject({
    near: { title: 'Near', protocolVersion: '2025-11-25', updatedAt: expect.stringMatching(/Z$/) },
  });
  const former = await manifestOf(running);
  expect(former.near.tools[0]).toMatchObject({ name: 'echo', title: 'Echo', inputSchema: { type: 'object' } });
  await running.stop();
  await server.close();
  const again = await startLuna(running.home);
  expect(await manifestOf(again)).toEqual(former);
  await again.api('DELETE', 'remote-mcp/near');
  await eventually(() => manifestOf(again)).toEqual({});
});

test('a tool of which its server says odd things keeps no other out of the manifest and the lists', async () => {
  const inputSchema = { type: 'object' };
  const tools = [
    { name: 'nothing', title: null, description: null, inputSchema },
    { name: 'number', title: 7, description: 8, inputSchema },
    { name: 'sound', description: 'Sound.', inputSchema },
  ];
  const url = await startRawServer((message, response) =>
    message.method === 'tools/list' ? sendResult(response, message, { tools }) : false,
  );
  const config = { remote_mcp_servers: { near: { url: url.href } } };
  const running = await startLuna(await homeOf({ 'master_config.json': JSON.stringify(config) }));
  const shown = [{ name: 'nothing' }, { name: 'number' }, { name: 'sound', description: 'Sound.' }];
  await eventually(() => manifestOf(running).catch(() => undefined)).toMatchObject({
    near: { tools: shown.map((tool) => ({ ...tool, inputSchema })) },
  });
  const { servers } = await (await running.api('GET', 'remote-mcp/list')).json();
  expect(servers[0].tools).toEqual(shown);
  const { sources } = await (await running.api('GET', 'tools/all')).json();
  expect(sources[0].tools.map(({ name }: { name: string }) => name)).toEqual(['nothing', 'sound']);
});
