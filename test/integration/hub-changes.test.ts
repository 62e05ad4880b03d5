import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientKinds, connectHttp } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf, stdioServer } from './support/homes.ts';
import { type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
});

async function oneHub(more: Record<string, string> = {}) {
  return startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A'), ...more }));
}

function post(luna: RunningLuna, hub: string, key: string, body = initialize, headers: Record<string, string> = {}) {
  return fetch(luna.hubUrl(hub), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${key}`,
      ...headers,
    },
    body,
  });
}

/** A session with its stream open, as a client of 2025-06-18 has it; settles when the stream has ended. */
async function openStream(luna: RunningLuna, hub: string, key: string) {
  const session = (await post(luna, hub, key)).headers.get('mcp-session-id') ?? '';
  const headers = { authorization: `Bearer ${key}`, 'mcp-session-id': session, accept: 'text/event-stream' };
  const stream = await fetch(luna.hubUrl(hub), { headers });
  expect(stream.status).toBe(200);
  return { session, ended: stream.text().catch(() => 'cut off') };
}

describe('a hub that gets another name', () => {
  test('keeps its key and settings; its former address knows nobody any more', async () => {
    const luna = await oneHub({
      'master_config.json': '{"luna":{"plain_hub":"team"},"mcp_servers":{"team":{},"z":{}}}',
    });
    await luna.api('PATCH', 'mcp-servers/team', { tool_config: { a: { enabled_in_mcp: false } } });
    const key = await luna.hubKey('team');
    const { ended } = await openStream(luna, 'team', key);

    const renamed = await luna.api('PATCH', 'mcp-servers/team', { name: 'crew', enabled: true });
    expect(renamed.status).toBe(200);
    expect(await renamed.json()).toMatchObject({ name: 'crew', path: '/api/mcp-crew', apiKey: key, toolCount: 0 });
    await ended;
    expect((await post(luna, 'team', key)).status).toBe(401);
    expect((await post(luna, 'crew', key)).status).toBe(200);
    const env = await luna.env();
    expect(env.MCP_SERVER_TEAM_API_KEY).toBeUndefined();
    expect(env.MCP_SERVER_CREW_API_KEY).toBe(key);
    const config = JSON.parse(await readFile(join(luna.home, 'master_config.json'), 'utf8'));
    expect(Object.keys(config.mcp_servers).sort()).toEqual(['crew', 'main', 'z']);
    expect(config.luna.plain_hub).toBe('crew');
  });

  test('gets none that is taken, kept or no name', async () => {
    const luna = await oneHub({ 'master_config.json': '{"mcp_servers":{"one":{},"two":{}}}' });
    const rename = async (name: unknown) => (await luna.api('PATCH', 'mcp-servers/one', { name })).status;
    expect(await rename('two')).toBe(409);
    for (const name of ['main', 'Großes', '', 'a b', '../x', '__proto__', 'x'.repeat(41), 7]) {
      expect(await rename(name), String(name)).toBe(400);
    }
    expect(await rename('one')).toBe(200);
    expect((await luna.api('PATCH', 'mcp-servers/none', { name: 'three' })).status).toBe(404);
    expect((await luna.api('PATCH', 'mcp-servers/__proto__', { enabled: true })).status).toBe(404);
  });
});

describe('what a key has opened', () => {
  test.each([
    ['another key', (luna: RunningLuna) => luna.api('POST', 'mcp-servers/team/regenerate-key')],
    ['switching off', (luna: RunningLuna) => luna.api('PATCH', 'mcp-servers/team', { enabled: false })],
    ['deleting', (luna: RunningLuna) => luna.api('DELETE', 'mcp-servers/team')],
  ])('is closed by %s', async (_how, change) => {
    const began = join(await temporaryFolder(), 'began');
    const luna = await oneHub({
      'extensions/h/tools/h_tools.js': `import { writeFileSync } from 'node:fs';
export const TOOLS = [{ name: 'hang', description: 'Never answers.', handler: () => {
  writeFileSync(${JSON.stringify(began)}, '');
  return new Promise(() => undefined);
} }];\n`,
      'master_config.json': JSON.stringify({ mcp_servers: { team: {}, other: {} } }),
    });
    const key = await luna.hubKey('team');
    const { session, ended } = await openStream(luna, 'team', key);
    const other = await openStream(luna, 'other', await luna.hubKey('other'));
    const client = await connectHttp('client 2.x, 2026-07-28', luna, 'team');
    const waiting = client.call('hang').catch((error: Error) => error);
    await eventually(() => readFile(began));

    expect((await change(luna)).ok).toBe(true);
    await ended;
    expect(await waiting).toBeInstanceOf(Error);
    const again = await post(luna, 'team', key, '{"jsonrpc":"2.0","id":2,"method":"tools/list"}', {
      'mcp-session-id': session,
    });
    expect([401, 403]).toContain(again.status);
    // Nothing of that touched the other hub.
    const list = '{"jsonrpc":"2.0","id":2,"method":"tools/list"}';
    const still = await post(luna, 'other', await luna.hubKey('other'), list, { 'mcp-session-id': other.session });
    expect(still.status).toBe(200);
  });
});

describe('a key of which only a hash is kept', () => {
  test('is told once, opens the hub, and is nowhere in the home', async () => {
    const luna = await oneHub();
    const created = await (await luna.api('POST', 'mcp-servers', { name: 'quiet', show_key: false })).json();
    expect(created).toMatchObject({ keyIsHashed: true, apiKey: expect.stringMatching(/^luna-hub-/) });
    expect((await post(luna, 'quiet', created.apiKey)).status).toBe(200);
    expect((await post(luna, 'quiet', `${created.apiKey}x`)).status).toBe(401);

    const config = await readFile(join(luna.home, 'master_config.json'), 'utf8');
    const hash = JSON.parse(config).mcp_servers.quiet.api_key_hash;
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await post(luna, 'quiet', hash)).status).toBe(401);
    expect(config).not.toContain(created.apiKey);
    expect(await readFile(join(luna.home, '.env'), 'utf8')).not.toContain(created.apiKey);
    const { servers } = await (await luna.api('GET', 'mcp-servers')).json();
    expect(servers.find(({ name }: { name: string }) => name === 'quiet')).toMatchObject({
      apiKey: '',
      keyIsHashed: true,
    });

    const another = await (await luna.api('POST', 'mcp-servers/quiet/regenerate-key')).json();
    expect(another.keyIsHashed).toBe(true);
    expect((await post(luna, 'quiet', created.apiKey)).status).toBe(401);
    expect((await post(luna, 'quiet', another.apiKey)).status).toBe(200);
  });

  test('does not stand beside a key', async () => {
    const luna = await oneHub();
    const config = await (await luna.api('GET', 'config/master')).json();
    config.mcp_servers.default.api_key_hash = `sha256:${'0'.repeat(64)}`;
    const refused = await luna.api('PUT', 'config/master', config);
    expect(refused.status).toBe(400);
    expect((await refused.json()).error.message).toContain('give either "api_key" or "api_key_hash"');
  });
});

test('all tools of a hub are switched at once', async () => {
  const luna = await oneHub({ 'extensions/b/tools/b_tools.js': fixedTool('b', 'B') });
  await luna.api('PATCH', 'mcp-servers/default', { tool_config: { a__a: { enabled_in_mcp: true } } });
  expect(await (await luna.api('PATCH', 'mcp-servers/default', { all_tools: false })).json()).toMatchObject({
    toolCount: 0,
  });
  expect(await (await luna.api('PATCH', 'mcp-servers/default', { all_tools: true })).json()).toMatchObject({
    toolCount: 2,
  });
});

describe('a change of one hub', () => {
  test.each(clientKinds)('is heard by its clients alone (%s)', async (kind) => {
    const luna = await oneHub({
      'master_config.json': JSON.stringify({
        mcp_servers: { one: {}, two: {} },
        remote_mcp_servers: { s: stdioServer },
      }),
    });
    const [one, two] = [await connectHttp(kind, luna, 'one'), await connectHttp(kind, luna, 'two')];
    const pids = async () => {
      const { sources } = await (await luna.api('GET', 'status')).json();
      return sources.map(({ id, health }: { id: string; health: { pid?: number } }) => [id, health.pid]);
    };
    const before = await pids();
    let heardByTwo = 0;
    void two.nextListChange().then(() => heardByTwo++);
    const heard = one.nextListChange();
    await luna.api('PATCH', 'mcp-servers/one', { tool_config: { a: { enabled_in_mcp: false } } });
    await heard;
    expect((await one.tools()).map(({ name }) => name)).not.toContain('a');
    // A round trip behind the notification: had there been one for this client, it would be here.
    expect((await two.tools()).map(({ name }) => name)).toContain('a');
    expect(heardByTwo).toBe(0);

    await luna.api('PATCH', 'mcp-servers/one', { name: 'uno', rate_limit: { calls_per_minute: 5 } });
    expect((await two.call('a')).content).toEqual([{ type: 'text', text: 'A' }]);
    expect(await pids()).toEqual(before);
  });

  test('a source of which a hub shows nothing changes nothing for its clients', async () => {
    const luna = await oneHub({
      'extensions/b/tools/b_tools.js': fixedTool('b', 'B'),
      'master_config.json': JSON.stringify({
        mcp_servers: { one: {}, two: { tool_config: { b: { enabled_in_mcp: false } } } },
      }),
    });
    const kind = 'sdk 1.x, 2025-11-25';
    const [one, two] = [await connectHttp(kind, luna, 'one'), await connectHttp(kind, luna, 'two')];
    let heardByTwo = 0;
    void two.nextListChange().then(() => heardByTwo++);
    const heard = one.nextListChange();
    await luna.api('POST', 'extensions/b/disable');
    await heard;
    expect((await two.tools()).map(({ name }) => name)).toEqual(['a']);
    expect(heardByTwo).toBe(0);
  });
});
