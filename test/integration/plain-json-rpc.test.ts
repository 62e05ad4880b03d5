import { appendFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { fixedTool, homeOf } from './support/homes.ts';
import { startLuna } from './support/luna-process.ts';

const token = 'plain-token-of-the-test';
const tools = `export const TOOLS = [
  { name: 'add', description: 'Adds.', input: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] }, handler: ({ a, b }) => ({ sum: a + b }) },
  { name: 'fail', description: 'Fails.', handler: () => { throw new Error('It does not work.'); } },
  { name: 'die', description: 'Ends its process.', handler: () => process.exit(3) },
];\n`;

async function plain(config: object = {}, dotEnv = `AUTH_TOKEN=${token}\n`) {
  const luna = await startLuna(
    await homeOf({
      '.env': dotEnv,
      'extensions/m/tools/m_tools.js': tools,
      'extensions/a/tools/a_tools.js': fixedTool('a', 'A'),
      'master_config.json': JSON.stringify(config),
    }),
  );
  const send = (body: BodyInit, authorization = `Bearer ${token}`, path = '/mcp') =>
    fetch(`${luna.url}${path}`, { method: 'POST', headers: { authorization }, body });
  const ask = async (message: unknown) => {
    const response = await send(JSON.stringify(message));
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  const request = (method: string, params?: unknown, id: unknown = 1) => ask({ jsonrpc: '2.0', id, method, params });
  return { luna, send, ask, request };
}

describe('plain JSON-RPC', () => {
  test('lists, calls, and takes the name of a tool for a method', async () => {
    const { luna, request, ask } = await plain();
    const listed = await request('tools/list');
    expect(listed).toMatchObject({ status: 200, body: { jsonrpc: '2.0', id: 1 } });
    expect(listed.body.result.tools.map(({ name }: { name: string }) => name).sort()).toEqual([
      'a',
      'add',
      'die',
      'fail',
    ]);
    const sum = { structuredContent: { sum: 5 } };
    expect(await request('tools/call', { name: 'add', arguments: { a: 2, b: 3 } }, 'x')).toMatchObject({
      status: 200,
      body: { id: 'x', result: sum },
    });
    expect(await request('add', { a: 2, b: 3 })).toMatchObject({ status: 200, body: { result: sum } });
    expect(await request('a')).toMatchObject({ body: { result: { content: [{ type: 'text', text: 'A' }] } } });
    expect(await request('fail')).toMatchObject({ status: 200, body: { result: { isError: true } } });
    expect(await ask({ jsonrpc: '2.0', method: 'a' })).toMatchObject({ status: 204, body: undefined });
    const { recentCalls } = await (await luna.api('GET', 'status')).json();
    expect(recentCalls[0].caller).toEqual({ kind: 'plain', name: 'mcp' });
  });

  test('answers what goes wrong with a status that says so', async () => {
    const { luna, send, request, ask } = await plain();
    const invalid = await send('{"jsonrpc":');
    expect(invalid.status).toBe(400);
    expect((await invalid.json()).error.code).toBe(-32700);
    for (const message of [
      {},
      7,
      null,
      'x',
      [],
      { jsonrpc: '1.0', id: 1, method: 'a' },
      { jsonrpc: '2.0', id: {}, method: 'a' },
    ])
      expect(await ask(message), JSON.stringify(message)).toMatchObject({
        status: 400,
        body: { error: { code: -32600 } },
      });
    expect(await request('nothing')).toMatchObject({ status: 404, body: { id: 1, error: { code: -32601 } } });
    expect(await request('__proto__')).toMatchObject({ status: 404 });
    expect(await request('tools/call', { name: 'nothing' })).toMatchObject({
      status: 404,
      body: { error: { code: -32602 } },
    });
    for (const params of [{}, { name: 7 }, { name: 'a', arguments: [] }])
      expect(await request('tools/call', params)).toMatchObject({ status: 400, body: { error: { code: -32602 } } });
    expect(await request('a', [1])).toMatchObject({ status: 400, body: { error: { code: -32602 } } });
    expect(await request('die')).toMatchObject({ status: 502, body: { error: { code: -32603 } } });
    expect((await send('x'.repeat(5 * 1024 * 1024))).status).toBe(413);
    const got = await fetch(`${luna.url}/mcp`, { headers: { authorization: `Bearer ${token}` } });
    expect(got.status).toBe(405);
    expect(got.headers.get('allow')).toBe('POST');
  });

  test('takes batches, within bounds', async () => {
    const { ask } = await plain();
    const call = (id?: number, method = 'a') => ({ jsonrpc: '2.0', method, ...(id !== undefined && { id }) });
    const { status, body } = await ask([call(1), call(), 7, call(2, 'nothing')]);
    expect(status).toBe(200);
    expect(body.map(({ id, error }: { id: unknown; error?: { code: number } }) => [id, error?.code])).toEqual([
      [1, undefined],
      [null, -32600],
      [2, -32601],
    ]);
    expect((await ask([call(), call()])).status).toBe(204);
    expect((await ask(Array(101).fill(call(1)))).status).toBe(400);
  });

  test('wants its token, and is not there without one', async () => {
    const { luna, send } = await plain();
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${token}`, `Bearer ${await luna.hubKey()}`]) {
      const refused = await send('{}', authorization);
      expect(refused.status, authorization).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain('Bearer');
    }
    expect((await luna.api('GET', '../../mcp')).status).toBe(401);
    const off = await plain({}, '');
    expect((await off.send('{}')).status).toBe(404);
    expect((await off.send('{}', '')).status).toBe(404);
    // Set while Luna runs, it counts at once.
    await appendFile(`${off.luna.home}/.env`, `AUTH_TOKEN=${token}\n`);
    expect((await off.request('a')).status).toBe(200);
  });

  test('serves the hub that is named, within its limit', async () => {
    const { luna, request } = await plain({
      luna: { plain_hub: 'few', plain_rate_limit: { calls_per_minute: 2 } },
      mcp_servers: { few: { tool_config: { add: { enabled_in_mcp: false } } } },
    });
    const { body } = await request('tools/list');
    expect(body.result.tools.map(({ name }: { name: string }) => name)).not.toContain('add');
    expect((await request('add', { a: 1, b: 1 })).status).toBe(404);
    expect((await request('a')).status).toBe(200);
    const refused = await request('a');
    expect(refused).toMatchObject({ status: 429, body: { id: 1, error: { data: { code: 'limit_exceeded' } } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await luna.api('PATCH', 'mcp-servers/few', { enabled: false });
    expect((await request('tools/list')).status).toBe(403);
  });
});
