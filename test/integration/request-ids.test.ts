import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientKinds, connectHttp } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';
import { startNotingServer } from './support/noting-server.ts';

async function entries(luna: RunningLuna): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(luna.home, 'logs', 'luna.log'), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

async function lunaWithServer() {
  const server = await startNotingServer();
  const luna = await startLuna(
    await homeOf({
      '.env': 'AUTH_TOKEN=plain-token\n',
      'master_config.json': JSON.stringify({ remote_mcp_servers: { noting: { url: server.url } } }),
    }),
    { env: { LUNA_LOG_LEVEL: 'debug' } },
  );
  return { server, luna };
}

describe('the id of a request', () => {
  test('goes from the client through record, log and answer to the server behind', async () => {
    const { server, luna } = await lunaWithServer();
    const answer = await fetch(`${luna.url}/api/supervisor/tools/call`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${(await luna.env()).SUPERVISOR_API_TOKEN}`,
        'content-type': 'application/json',
        'x-request-id': 'from-my-proxy.7',
      },
      body: JSON.stringify({ name: 'note' }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-request-id')).toBe('from-my-proxy.7');
    expect(server.calls.at(-1)?.['x-request-id']).toBe('from-my-proxy.7');
    const { recentCalls } = await (await luna.api('GET', 'status')).json();
    expect(recentCalls[0]).toMatchObject({ tool: 'note', requestId: 'from-my-proxy.7' });
    const ours = await eventually(async () => {
      const found = (await entries(luna)).filter(({ requestId }) => requestId === 'from-my-proxy.7');
      expect(found).toHaveLength(2);
      return found;
    });
    expect(ours).toEqual([
      expect.objectContaining({ from: 'calls', tool: 'note', source: 'noting', outcome: 'ok', level: 20 }),
      expect.objectContaining({ from: 'http', route: '/api/supervisor/tools/call', status: 200, level: 20 }),
    ]);
  });

  test.each(clientKinds)('is made for each request of a client of a hub (%s)', async (kind) => {
    const { server, luna } = await lunaWithServer();
    const client = await connectHttp(kind, luna);
    await client.call('note');
    const made = server.calls.at(-1)?.['x-request-id'];
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    await client.call('note');
    expect(server.calls.at(-1)?.['x-request-id']).not.toBe(made);
    await eventually(async () =>
      expect((await entries(luna)).filter(({ requestId }) => requestId === made)).toEqual([
        expect.objectContaining({ from: 'calls', caller: { kind: 'hub', name: 'default' } }),
        expect.objectContaining({ from: 'http', route: '/api/mcp-{name}', method: 'POST', status: 200 }),
      ]),
    );
  });

  test('stands in errors, and only a short plain one is taken from a client', async () => {
    const { luna } = await lunaWithServer();
    const bad = 'x'.repeat(65);
    const refused = await fetch(`${luna.url}/api/supervisor/status`, { headers: { 'x-request-id': bad } });
    const id = refused.headers.get('x-request-id');
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await refused.json()).error).toMatchObject({ code: 'unauthorized', requestId: id });

    const byHub = await fetch(luna.hubUrl(), { method: 'POST', headers: { 'x-request-id': 'abc' } });
    expect((await byHub.json()).error.requestId).toBe('abc');

    const plain = await fetch(`${luna.url}/mcp`, {
      method: 'POST',
      headers: { authorization: 'Bearer plain-token', 'x-request-id': 'plain-1' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tell' }),
    });
    expect(plain.headers.get('x-request-id')).toBe('plain-1');
    const { sources } = await (await luna.api('GET', 'status')).json();
    expect(sources[0].health.status).toBe('ready');
    await eventually(async () =>
      expect(await entries(luna)).toContainEqual(
        expect.objectContaining({ from: 'calls', requestId: 'plain-1', errorCode: 'upstream_error', level: 40 }),
      ),
    );
  });

  test('no line of the log says what followed the path of a request', async () => {
    const { luna } = await lunaWithServer();
    await fetch(`${luna.url}/auth/callback?code=a-code-of-somebody`);
    await eventually(async () =>
      expect(await entries(luna)).toContainEqual(expect.objectContaining({ from: 'http', path: '/auth/callback' })),
    );
    expect(JSON.stringify(await entries(luna))).not.toContain('a-code-of-somebody');
  });
});
