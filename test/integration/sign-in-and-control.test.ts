import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixedTool, homeOf } from './support/homes.ts';
import { luna, type RunningLuna, startLuna } from './support/luna-process.ts';

async function signIn(running: RunningLuna, link = running.signInLink): Promise<Response> {
  const token = new URL(link).hash.replace('#token=', '');
  return fetch(`${running.url}/auth/once`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: running.url },
    body: JSON.stringify({ token }),
  });
}

function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

describe('signing in', () => {
  test('works once per link, and out again', async () => {
    const running = await startLuna(await homeOf({}));
    expect((await fetch(`${running.url}/auth/me`)).status).toBe(401);

    const signedIn = await signIn(running);
    expect(signedIn.status).toBe(204);
    expect(signedIn.headers.getSetCookie().join()).toMatch(/httponly/i);
    const headers = { cookie: cookieOf(signedIn), origin: running.url };
    expect(await (await fetch(`${running.url}/auth/me`, { headers })).json()).toMatchObject({
      name: 'admin',
      role: 'admin',
    });
    expect((await fetch(`${running.url}/api/supervisor/status`, { headers })).status).toBe(200);

    expect((await signIn(running)).status).toBe(401);
    const another = (await luna(['link', '--home', running.home])).stdout.trim();
    expect((await signIn(running, another)).status).toBe(204);

    const out = await fetch(`${running.url}/auth/logout`, { method: 'POST', headers });
    expect(out.status).toBe(204);
    expect((await fetch(`${running.url}/auth/me`, { headers: { cookie: cookieOf(out) } })).status).toBe(401);
  });

  test('does not help another site: a write by cookie needs our own origin', async () => {
    const running = await startLuna(await homeOf({}));
    const cookie = cookieOf(await signIn(running));
    const create = (origin: Record<string, string>) =>
      fetch(`${running.url}/api/supervisor/mcp-servers`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', ...origin },
        body: '{"name":"evil"}',
      });
    for (const origin of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://127.0.0.1:1' },
    ]) {
      expect((await create(origin as Record<string, string>)).status).toBe(403);
    }
    expect((await create({ origin: running.url })).status).toBe(201);
  });

  test('a foreign Host is refused everywhere', async () => {
    const running = await startLuna(await homeOf({}));
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      request(`${running.url}/health`, { headers: { host: 'evil.example' } }, (response) =>
        resolve(response.statusCode),
      ).end();
    });
    expect(status).toBe(403);
  });
});

describe('control routes', () => {
  test('want the session or the token', async () => {
    const running = await startLuna(await homeOf({}));
    for (const path of ['status', 'tools/all', 'config/master', 'mcp-servers', 'remote-mcp/list', 'events']) {
      const refused = await fetch(`${running.url}/api/supervisor/${path}`);
      expect(refused.status, path).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain('Bearer');
      expect(
        (await fetch(`${running.url}/api/supervisor/${path}`, { headers: { authorization: 'Bearer wrong' } })).status,
      ).toBe(401);
    }
  });

  test('hubs: create, switch tools, another key, delete', async () => {
    const running = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
    const created = await running.api('POST', 'mcp-servers', { name: 'team' });
    expect(created.status).toBe(201);
    const hub = await created.json();
    expect(hub).toMatchObject({ name: 'team', enabled: true, path: '/api/mcp-team', toolCount: 1 });
    expect((await running.env()).MCP_SERVER_TEAM_API_KEY).toBe(hub.apiKey);

    expect((await running.api('POST', 'mcp-servers', { name: 'team' })).status).toBe(409);
    for (const name of ['Team', '', '../x', 'a'.repeat(60), 'main', '__proto__']) {
      expect((await running.api('POST', 'mcp-servers', { name })).status, name).toBe(400);
    }

    const changed = await (
      await running.api('PATCH', 'mcp-servers/team', { tool_config: { a__a: { enabled_in_mcp: false } } })
    ).json();
    expect(changed.toolCount).toBe(0);
    const tools = await (await running.api('GET', 'tools/all')).json();
    expect(tools.sources[0].tools[0].hubs).toEqual({ default: true, main: true, team: false });
    expect((await running.api('POST', 'tools/call', { name: 'a', hub: 'team' })).status).toBe(404);
    expect((await running.api('POST', 'tools/call', { name: 'a' })).status).toBe(200);

    const rekeyed = await (await running.api('POST', 'mcp-servers/team/regenerate-key')).json();
    expect(rekeyed.apiKey).not.toBe(hub.apiKey);
    const withKey = (key: string) =>
      fetch(running.hubUrl('team'), { method: 'POST', headers: { authorization: `Bearer ${key}` } });
    expect((await withKey(hub.apiKey)).status).toBe(401);
    expect((await withKey(rekeyed.apiKey)).status).toBe(415);

    expect((await running.api('DELETE', 'mcp-servers/team')).status).toBe(204);
    expect((await running.api('DELETE', 'mcp-servers/team')).status).toBe(404);
    expect((await withKey(rekeyed.apiKey)).status).toBe(401);
    expect((await running.env()).MCP_SERVER_TEAM_API_KEY).toBeUndefined();
  });

  test('the configuration is replaced only by who has seen the present one', async () => {
    const running = await startLuna(await homeOf({}));
    const read = await running.api('GET', 'config/master');
    const etag = read.headers.get('etag') ?? '';
    const config = await read.json();
    const put = (body: unknown, ifMatch: string) =>
      running.env().then((env) =>
        fetch(`${running.url}/api/supervisor/config/master`, {
          method: 'PUT',
          headers: {
            authorization: `Bearer ${env.SUPERVISOR_API_TOKEN}`,
            'content-type': 'application/json',
            'if-match': ifMatch,
          },
          body: JSON.stringify(body),
        }),
      );
    expect((await put({ ...config, public_domain: 'one.example' }, etag)).status).toBe(200);
    expect((await put({ ...config, public_domain: 'two.example' }, etag)).status).toBe(412);
    expect((await put({ ...config, mcp_servers: 7 }, '*')).status).toBe(400);
    expect(JSON.parse(await readFile(join(running.home, 'master_config.json'), 'utf8')).public_domain).toBe(
      'one.example',
    );
    expect(await (await running.api('GET', 'config/schema')).json()).toMatchObject({ type: 'object' });
  });

  test('bodies that do not fit are refused with what is wrong', async () => {
    const running = await startLuna(await homeOf({}));
    const refused = await running.api('POST', 'tools/call', { args: 1 });
    expect(refused.status).toBe(400);
    expect((await refused.json()).error.message).toContain('name');
    const broken = await fetch(`${running.url}/api/supervisor/tools/call`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${(await running.env()).SUPERVISOR_API_TOKEN}`,
        'content-type': 'application/json',
      },
      body: '{"name":',
    });
    expect(broken.status).toBe(400);
    expect((await running.api('GET', 'nothing')).status).toBe(404);
    expect((await running.api('POST', 'remote-mcp/add', { url: 'ftp://x' })).status).toBe(400);
    expect((await running.api('POST', 'remote-mcp/add', {})).status).toBe(400);
    expect((await running.api('PATCH', 'remote-mcp/none', { enabled: true })).status).toBe(404);
    expect((await running.api('POST', 'extensions/none/enable')).status).toBe(404);
  });

  test('events tell of changes as they happen', async () => {
    const running = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
    const response = await running.api('GET', 'events');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    const until = async (text: string) => {
      while (!seen.includes(text)) seen += (await reader?.read())?.value ?? '';
    };
    await until('event: hello');
    await running.api('POST', 'tools/call', { name: 'a' });
    await until('"outcome":"ok"');
    await writeFile(join(running.home, 'extensions', 'a', 'tools', 'a_tools.js'), fixedTool('b', 'B'));
    await until('event: tools.changed');
    await reader?.cancel();
  });
});
