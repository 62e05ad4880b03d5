import { describe, expect, test } from 'vitest';
import { connectHttp } from './support/clients.ts';
import { fixedTool, homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';

const version = '2026-07-28';

/** One request of 2026-07-28, which needs no session. */
async function ask(luna: RunningLuna, hub: string, method: string, params: Record<string, unknown> = {}) {
  return fetch(luna.hubUrl(hub), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${await luna.hubKey(hub)}`,
      'mcp-protocol-version': version,
      'mcp-method': method,
      ...(typeof params.name === 'string' && { 'mcp-name': params.name }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': version,
          'io.modelcontextprotocol/clientCapabilities': {},
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        },
      },
    }),
  });
}

async function twoHubs() {
  const luna = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
  await luna.api('POST', 'mcp-servers', { name: 'other' });
  const call = (hub: string) => ask(luna, hub, 'tools/call', { name: 'a', arguments: {} });
  return { luna, call };
}

describe('a limit of calls', () => {
  test('refuses what is more, says when to come back, and holds for that hub only', async () => {
    const { luna, call } = await twoHubs();
    const changed = await luna.api('PATCH', 'mcp-servers/default', { rate_limit: { calls_per_minute: 2 } });
    expect(await changed.json()).toMatchObject({ callsPerMinute: 2 });

    expect([(await call('default')).status, (await call('default')).status]).toEqual([200, 200]);
    const refused = await call('default');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      jsonrpc: '2.0',
      id: 7,
      error: { message: expect.stringContaining('2 calls'), data: { code: 'limit_exceeded' } },
    });
    expect((await ask(luna, 'default', 'tools/list')).status).toBe(200);
    expect((await call('other')).status).toBe(200);

    expect((await luna.api('PATCH', 'mcp-servers/default', { enabled: true })).status).toBe(200);
    expect((await call('default')).status).toBe(429);
    await luna.api('PATCH', 'mcp-servers/default', { rate_limit: null });
    expect((await call('default')).status).toBe(200);
  });

  test('holds for clients with sessions too', async () => {
    const { luna } = await twoHubs();
    await luna.api('PATCH', 'mcp-servers/default', { rate_limit: { calls_per_minute: 1 } });
    const client = await connectHttp('sdk 1.x, 2025-11-25', luna);
    await client.call('a');
    await expect(client.call('a')).rejects.toThrow('1 calls in a minute');
    expect(await client.tools()).toHaveLength(1);
  });

  test('is refused when it is no limit', async () => {
    const { luna } = await twoHubs();
    for (const calls_per_minute of [0, -1, 1.5, '10', null]) {
      const refused = await luna.api('PATCH', 'mcp-servers/default', { rate_limit: { calls_per_minute } });
      expect(refused.status, String(calls_per_minute)).toBe(400);
    }
  });
});

test('a body that is too long for a control route is refused as that', async () => {
  const { luna } = await twoHubs();
  const refused = await luna.api('POST', 'tools/call', { name: 'x'.repeat(5 * 1024 * 1024) });
  expect(refused.status).toBe(413);
  expect((await refused.json()).error.code).toBe('too_large');
});
