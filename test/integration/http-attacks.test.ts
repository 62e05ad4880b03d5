import { type RunningServer, readSettings, startServer } from '@luna/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fixedTool, homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';
import { headOf, rawConnection, untilClosed } from './support/raw-http.ts';

async function oneLuna(): Promise<{ luna: RunningLuna; key: string; token: string; host: string }> {
  const luna = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
  const token = (await luna.env()).SUPERVISOR_API_TOKEN ?? '';
  return { luna, key: await luna.hubKey(), token, host: new URL(luna.url).host };
}

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
});

describe('a client that never finishes its request', () => {
  test('is let go, five hundred of them too, while others are served and streams live on', async () => {
    const home = await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') });
    const settings = await readSettings({ home, port: '0' }, {});
    const server: RunningServer = await startServer({
      settings,
      patience: { headMs: 400, requestMs: 800, lookMs: 100 },
    });
    onTestFinished(() => server.close());
    const { url, luna } = server;
    const token = (await luna.env.read()).SUPERVISOR_API_TOKEN;
    const events = await fetch(`${url}/api/supervisor/events`, { headers: { authorization: `Bearer ${token}` } });
    const reader = events.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);

    const drips = await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const socket = await rawConnection(url);
        // Some stop within the head, some within the body, some go on dripping.
        socket.write('POST /api/mcp-default HTTP/1.1\r\nHost: localhost\r\n');
        if (index % 2 === 1) socket.write('Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{');
        const drip = setInterval(() => socket.write(index % 2 === 1 ? ' ' : 'X-Drip: 1\r\n'), 100);
        socket.once('close', () => clearInterval(drip));
        return { closed: new Promise((settle) => socket.resume().once('close', settle)) };
      }),
    );
    expect((await fetch(`${url}/health`)).status).toBe(200);
    await Promise.all(drips.map(({ closed }) => closed));
    expect((await fetch(`${url}/health`)).status).toBe(200);
    // The stream is older than any request may be, and still tells.
    const told = reader?.read();
    await luna.admin.createHub('later');
    expect((await told)?.done).toBe(false);
    await reader?.cancel();
  });
});

describe('a path', () => {
  test('in disguise leads nowhere', async () => {
    const { luna, key, host } = await oneLuna();
    for (const path of [
      '/api/mcp-default/../supervisor/status',
      '/api/mcp-default/%2e%2e/supervisor/status',
      '/api/mcp-default/%2E%2e/supervisor/status',
      '/api/mcp-default/..%2fsupervisor/status',
      '/api/mcp-default/..%5csupervisor%5cstatus',
      '/api/mcp-default\\..\\supervisor\\status',
      '/health/..;/%2e%2e/api/supervisor/status',
      '//api/supervisor/status',
      '/api//supervisor/status',
      '/./api/supervisor/status',
      '/api/supervisor/status/%00',
      '/api/supervisor/%zz',
      '/api/supervisor/%c0%af',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/assets/%2e%2e/%2e%2e/package.json',
      'http://other.example/api/supervisor/status',
      '*',
    ]) {
      const bytes = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n\r\n`;
      const answer = await untilClosed(await rawConnection(luna.url), bytes);
      expect(answer.status, path).toBe(400);
      expect(answer.text).not.toContain('memoryRssBytes');
    }
  });

  test('in another writing meets the same guard', async () => {
    const { luna, key, host } = await oneLuna();
    for (const path of [
      '/api/supervisor/status',
      '/API/SUPERVISOR/status',
      '/api/supervisor/STATUS',
      '/api/Supervisor/mcp-servers',
      '/api/supervisor/MCP-SERVERS',
      '/api/supervisor/Mcp-Servers/default/clients',
      '/api/SUPERVISOR/config/master',
      '/api/supervisor/REMOTE-MCP/list',
      '/API/supervisor/events',
      '/api/supervisor/status/',
      '/api/supervisor/status;x',
      '/api/%73upervisor/status',
      '/api/%6dcp-default',
    ]) {
      const bytes = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n\r\n`;
      expect(await headOf(await rawConnection(luna.url), bytes), path).toMatch(/^HTTP\/1\.1 40[14] /);
    }
  });

  test('in another writing changes nothing', async () => {
    const { luna, key } = await oneLuna();
    for (const [method, path] of [
      ['POST', '/API/supervisor/mcp-servers'],
      ['POST', '/api/supervisor/MCP-servers/default/regenerate-key'],
      ['PUT', '/api/supervisor/CONFIG/master'],
      ['POST', '/api/SUPERVISOR/tools/call'],
      ['POST', '/api/SUPERVISOR/sign-in-links'],
      ['DELETE', '/Api/supervisor/mcp-servers/default'],
    ] as const) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const refused = await fetch(`${luna.url}${path}`, { method, headers, body: '{"name":"made"}' });
      expect(refused.status, path).toBe(401);
    }
    const { hubs } = await (await luna.api('GET', 'status')).json();
    expect(hubs.map(({ name }: { name: string }) => name)).toEqual(['default', 'main']);
    expect(await luna.hubKey()).toBe(key);
  });

  test('names are checked too', async () => {
    const { luna } = await oneLuna();
    for (const name of ['..', '../x', '/etc', 'a\0b', 'a%2e', '__proto__', 'a\\b']) {
      expect((await luna.api('POST', 'mcp-servers', { name })).status, name).toBe(400);
      const added = await luna.api('POST', 'remote-mcp/add', { id: name, url: 'http://127.0.0.1:9/' });
      expect(added.status, name).toBe(400);
      expect((await luna.api('PATCH', `mcp-servers/${encodeURIComponent(name)}`, { enabled: true })).status).toBeOneOf([
        400, 404,
      ]);
    }
  });
});

describe('framing that can be read in two ways', () => {
  const head = (...lines: string[]) => ['POST /health HTTP/1.1', 'Host: localhost', ...lines, '', ''].join('\r\n');
  const smuggled = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const cases: [string, string][] = [
    ['a length and chunks', `${head('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`],
    ['chunks and a length', `${head('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n${smuggled}`],
    ['two lengths', head('Content-Length: 0', 'Content-Length: 44') + smuggled],
    ['the same length twice', `${head('Content-Length: 2', 'Content-Length: 2')}{}${smuggled}`],
    ['two lengths in one line', head('Content-Length: 0, 44') + smuggled],
    ['a length that is no number', `${head('Content-Length: +2')}{}${smuggled}`],
    ['a negative length', head('Content-Length: -1') + smuggled],
    ['bare line feeds', `POST /health HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n${smuggled}`],
    ['one bare line feed', `POST /health HTTP/1.1\r\nHost: localhost\nX: y\n\r\n${smuggled}`],
    ['a space before the colon', head('Content-Length : 0') + smuggled],
    ['a folded header', head('X: a', ' b', 'Content-Length: 0') + smuggled],
    ['an encoding that is not the last', `${head('Transfer-Encoding: chunked, identity')}0\r\n\r\n${smuggled}`],
    ['an encoding in disguise', `${head('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}`],
    ['a chunk length that is no number', `${head('Transfer-Encoding: chunked')}0x2\r\n{}\r\n0\r\n\r\n${smuggled}`],
    ['two hosts', head('Host: other.example', 'Content-Length: 0') + smuggled],
    ['no host', 'POST /health HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
    ['a NUL in a header', head('X: a\0b', 'Content-Length: 0') + smuggled],
  ];

  test('is refused, and the connection closed', async () => {
    const { luna } = await oneLuna();
    for (const [what, bytes] of cases) {
      const answer = await untilClosed(await rawConnection(luna.url), bytes);
      expect(answer, what).toMatchObject({ status: 400, count: 1 });
    }
  });

  test('a head that is too long is refused', async () => {
    const { luna } = await oneLuna();
    const answer = await untilClosed(await rawConnection(luna.url), head(`X: ${'x'.repeat(16 * 1024)}`));
    expect(answer.status).toBe(431);
  });
});

describe('bodies', () => {
  test('one that is announced as too long is refused before it comes', async () => {
    const { luna, key, token, host } = await oneLuna();
    for (const [path, secret] of [
      ['/api/mcp-default', key],
      ['/api/supervisor/tools/call', token],
    ]) {
      const socket = await rawConnection(luna.url);
      const answered = headOf(
        socket,
        `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${secret}\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{`,
      );
      expect(await answered, path).toMatch(/^HTTP\/1\.1 413 /);
    }
  });

  test('malformed, deep and poisoned JSON changes nothing', async () => {
    const { luna, key, token } = await oneLuna();
    const post = (path: string, secret: string, body: BodyInit) =>
      fetch(`${luna.url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${secret}`,
        },
        body,
      });
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    const poison = '{"__proto__":{"enabled":true,"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    for (const body of ['{', '"x"', deep, Buffer.from([0x7b, 0xff, 0x7d]), poison]) {
      expect((await post('/api/mcp-default', key, body)).status).toBe(400);
      expect((await post('/api/supervisor/mcp-servers', token, body)).status).toBe(400);
    }
    const call = { jsonrpc: '2.0', id: 1, method: 'initialize' };
    const poisoned = JSON.stringify({ ...call, params: 0 }).replace(':0', `:${poison}`);
    await post('/api/mcp-default', key, poisoned);
    expect(
      (
        await luna.api(
          'PATCH',
          'mcp-servers/default',
          JSON.parse('{"tool_config":{"__proto__":{"enabled_in_mcp":false}}}'),
        )
      ).status,
    ).toBeOneOf([200, 400]);
    const status = await (await luna.api('GET', 'status')).json();
    expect(status.polluted).toBeUndefined();
    expect(status.hubs[0].toolCount).toBe(1);
    expect((await post('/api/mcp-default', key, initialize)).status).toBe(200);
  });
});

describe('a request that is meant for another', () => {
  const cases: [string, string][] = [
    ['a foreign host', 'Host: evil.example'],
    ['a foreign host with our port', 'Host: localhost.evil.example:PORT'],
    ['a page of another site', 'Host: localhost\r\nOrigin: https://evil.example'],
    ['a page without origin', 'Host: localhost\r\nOrigin: null'],
    ['a host that only a header of proxies makes ours', 'Host: evil.example\r\nX-Forwarded-Host: localhost'],
  ];

  test('is refused, upgrades too', async () => {
    const { luna, key, token } = await oneLuna();
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    for (const [what, lines] of cases) {
      const meant = lines.replace('PORT', new URL(luna.url).port);
      for (const path of ['/api/mcp-default', '/api/supervisor/status', '/api/supervisor/events', '/mcp', '/']) {
        const secret = path === '/api/mcp-default' ? key : token;
        for (const more of ['', upgrade]) {
          const bytes = `GET ${path} HTTP/1.1\r\n${meant}\r\nAuthorization: Bearer ${secret}\r\n${more}\r\n`;
          expect(await headOf(await rawConnection(luna.url), bytes), `${what} ${path}`).toMatch(/^HTTP\/1\.1 403 /);
        }
      }
    }
  });

  test('an upgrade that nothing here knows is answered as an ordinary request', async () => {
    const { luna, host } = await oneLuna();
    const head = await headOf(
      await rawConnection(luna.url),
      `GET /api/supervisor/status HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    expect(head).toMatch(/^HTTP\/1\.1 401 /);
  });
});

test('headers that claim to be somebody open nothing', async () => {
  const { luna } = await oneLuna();
  const claims: Record<string, string>[] = [
    { 'x-luna-user': 'admin', 'x-luna-role': 'admin', 'x-luna-hub': 'default' },
    { 'x-forwarded-user': 'admin', 'x-forwarded-email': 'admin@example.org', 'x-remote-user': 'admin' },
    { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', forwarded: 'for=127.0.0.1;host=localhost;proto=https' },
    { 'x-original-url': '/health', 'x-rewrite-url': '/health', 'x-http-method-override': 'OPTIONS' },
  ];
  for (const headers of claims) {
    for (const path of ['/api/supervisor/status', '/api/supervisor/mcp-servers', '/auth/me'])
      expect((await fetch(`${luna.url}${path}`, { headers })).status, path).toBe(401);
    expect((await fetch(luna.hubUrl(), { method: 'POST', headers, body: initialize })).status).toBe(401);
  }
});

test('a cookie alone changes nothing from another page', async () => {
  const { luna } = await oneLuna();
  const { url } = await (await luna.api('POST', 'sign-in-links')).json();
  const signedIn = await fetch(`${luna.url}/auth/once`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: luna.url },
    body: JSON.stringify({ token: new URL(url).hash.replace('#token=', '') }),
  });
  const cookie = signedIn.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  const change = (headers: Record<string, string>) =>
    fetch(`${luna.url}/api/supervisor/mcp-servers/default`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', cookie, ...headers },
      body: '{"enabled":true}',
    });
  expect((await change({})).status).toBe(403);
  expect((await change({ origin: 'http://127.0.0.1:1' })).status).toBe(403);
  expect((await change({ origin: 'https://evil.example' })).status).toBe(403);
  expect((await change({ origin: luna.url })).status).toBe(200);
});
