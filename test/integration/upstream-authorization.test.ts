import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type ProtectedServer, startProtectedServer } from '../../packages/core/test/fixtures/protected-server.ts';
import { homeOf } from './support/homes.ts';
import { luna, type RunningLuna, startLuna } from './support/luna-process.ts';

interface Setup {
  readonly running: RunningLuna;
  readonly server: ProtectedServer;
}

async function setUp(): Promise<Setup> {
  const server = await startProtectedServer();
  onTestFinished(() => server.close());
  const config = { remote_mcp_servers: { guarded: { url: server.url.href } } };
  return { running: await startLuna(await homeOf({ 'master_config.json': JSON.stringify(config) })), server };
}

/** A browser in which the administrator is signed in. */
async function browserOf(running: RunningLuna) {
  const link = (await luna(['link', '--home', running.home])).stdout.trim();
  let cookie = '';
  const visit = async (path: string, init: RequestInit = {}) => {
    const url = new URL(path, running.url);
    const response = await fetch(url, {
      redirect: 'manual',
      ...init,
      headers: { cookie, ...(init.method && { origin: running.url, 'content-type': 'application/json' }) },
    });
    const set = response.headers.getSetCookie().map((line) => line.split(';')[0]);
    if (set.length > 0) cookie = set.join('; ');
    return response;
  };
  const token = new URL(link).hash.replace('#token=', '');
  expect((await visit('/auth/once', { method: 'POST', body: JSON.stringify({ token }) })).status).toBe(204);
  return visit;
}

const authorizePath = '/api/supervisor/remote-mcp/guarded/authorize';
const pathOf = (url: URL) => url.pathname + url.search;

async function guarded(running: RunningLuna) {
  const { servers } = await (await running.api('GET', 'remote-mcp/list')).json();
  return servers[0];
}

test('a person authorizes Luna in the browser: the server works at once, and until it is disconnected', async () => {
  const { running, server } = await setUp();
  expect(await guarded(running)).toMatchObject({ authorized: false, health: { status: 'needs_authorization' } });

  const visit = await browserOf(running);
  const { url } = await (await visit(authorizePath, { method: 'POST' })).json();
  expect(new URL(url).searchParams.get('redirect_uri')).toBe(`${running.url}/auth/upstream/callback`);
  const back = await visit(pathOf(await server.agree(url)));
  expect([back.status, back.headers.get('location')]).toEqual([302, '/sources']);
  expect(await guarded(running)).toMatchObject({ authorized: true, health: { status: 'ready' } });
  const called = await running.api('POST', 'tools/call', { name: 'echo', args: { text: 'hi' } });
  expect((await called.json()).result.content).toMatchObject([{ text: 'hi' }]);
  expect((await running.env()).LUNA_ENCRYPTION_KEY?.length).toBeGreaterThanOrEqual(32);

  expect((await visit(authorizePath, { method: 'DELETE' })).status).toBe(204);
  expect(server.told.revoked).toHaveLength(2);
  expect(await guarded(running)).toMatchObject({ authorized: false, health: { status: 'needs_authorization' } });
});

test('the way back works once, and only in the browser in which it began', async () => {
  const { running, server } = await setUp();
  const [mine, other] = [await browserOf(running), await browserOf(running)];
  const { url } = await (await mine(authorizePath, { method: 'POST' })).json();
  const way = pathOf(await server.agree(url));

  expect((await other(way)).status).toBe(403);
  expect((await fetch(new URL(way, running.url))).status).toBe(403);
  expect((await mine(way.replace(/state=[^&]+/, 'state=guessed'))).status).toBe(403);
  expect((await mine(way)).status).toBe(302);
  expect((await mine(way)).status).toBe(403);
  expect(server.told.exchanges).toBe(1);
});

test('a way back without one legal state is refused in words', async () => {
  const running = await startLuna(await homeOf({}));
  for (const query of ['', '?code=x', '?code=x&state=a&state=b', `?code=x&state=${'a'.repeat(600)}`]) {
    const response = await fetch(`${running.url}/auth/upstream/callback${query}`);
    expect([query, response.status]).toEqual([query, 400]);
    expect(response.headers.get('content-type')).toContain('text/plain');
  }
});

test('a refusal of the person is told, and leaves everything as it was', async () => {
  const { running } = await setUp();
  const visit = await browserOf(running);
  const { url } = await (await visit(authorizePath, { method: 'POST' })).json();
  const state = new URL(url).searchParams.get('state');
  const back = await visit(`/auth/upstream/callback?state=${state}&error=access_denied&error_description=<b>`);
  expect(back.status).toBe(403);
  expect(await back.text()).toBe('The server "guarded" was not authorized: access_denied.\n');
  expect((await guarded(running)).health.status).toBe('needs_authorization');
});

test('luna authorize: the page comes from the terminal, and the way back needs no signing in', async () => {
  const { running, server } = await setUp();
  const begun = await luna(['authorize', 'guarded', '--home', running.home, '--json']);
  const way = await server.agree(JSON.parse(begun.stdout).url);
  const back = await fetch(way);
  expect(await back.text()).toContain('authorized at "guarded"');
  expect((await guarded(running)).health.status).toBe('ready');

  const ended = await luna(['authorize', 'guarded', '--disconnect', '--home', running.home]);
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  expect((await guarded(running)).health.status).toBe('needs_authorization');

  const unknown = await luna(['authorize', 'nobody', '--home', running.home]);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('"nobody"')]);
});

test('no token stands in a log, and a removed server leaves none behind', async () => {
  const { running, server } = await setUp();
  const { url } = await (await running.api('POST', 'remote-mcp/guarded/authorize')).json();
  await fetch(await server.agree(url));
  server.expireAll();
  await running.api('POST', 'tools/call', { name: 'echo', args: { text: 'hi' } });
  server.expireAll();
  server.rules.refresh = 'is refused';
  const refused = await running.api('POST', 'tools/call', { name: 'echo', args: { text: 'hi' } });
  expect([refused.status, (await refused.json()).error.code]).toEqual([503, 'needs_authorization']);
  expect((await running.api('DELETE', 'remote-mcp/guarded')).status).toBe(204);
  expect(JSON.parse(await readFile(join(running.home, '.luna', 'upstream-tokens.json'), 'utf8')).servers).toEqual({});
  for (const name of ['luna.log', 'remote_mcp_sessions.log'])
    expect(await readFile(join(running.home, 'logs', name), 'utf8')).not.toMatch(
      /(access|refresh|code|client)-[\w-]{20}/,
    );
});

test('testing a server tells how it is; one inside the network was added with leave, and says so', async () => {
  const { running, server } = await setUp();
  const tested = await running.api('POST', 'remote-mcp/guarded/test');
  expect((await tested.json()).health.status).toBe('needs_authorization');
  expect((await running.api('POST', 'remote-mcp/nobody/test')).status).toBe(404);

  const added = await (await running.api('POST', 'remote-mcp/add', { id: 'near', url: server.url.href })).json();
  expect(added.notes).toEqual([expect.stringContaining('allow_private_network')]);
  const { remote_mcp_servers } = await (await running.api('GET', 'config/master')).json();
  expect(remote_mcp_servers.near.allow_private_network).toBe(true);
  const taken = await running.api('PATCH', 'remote-mcp/near', { allow_private_network: false });
  expect((await taken.json()).health.status).toBe('needs_authorization');
  expect((await running.api('PATCH', 'remote-mcp/near', { allow_private_network: 'yes' })).status).toBe(400);
  const now = await (await running.api('GET', 'config/master')).json();
  expect(now.remote_mcp_servers.near).toMatchObject({ enabled: true, allow_private_network: false });
  // What a person typed into the file counts for exactly that host, and is left as it is.
  expect(remote_mcp_servers.guarded).toEqual({ url: server.url.href, enabled: true });
});
