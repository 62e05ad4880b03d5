import {
  Client as ModernClient,
  SSEClientTransport,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startProtectedServer } from '../../packages/core/test/fixtures/protected-server.ts';
import { eventually } from './support/eventually.ts';
import { ask as askService, untilService } from './support/external-services.ts';
import { startGitHub } from './support/git-hub-server.ts';
import { fixedTool, homeOf } from './support/homes.ts';
import { luna as command, type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';
import { ClientMemory, RawOAuthClient } from './support/oauth-client.ts';
import { type PathProxy, type PathProxyKind, startPathProxy } from './support/path-proxy.ts';
import { PersonInBrowser } from './support/person.ts';
import { freePort } from './support/ports.ts';
import { headOf, rawConnection } from './support/raw-http.ts';

const tool = { 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') };

/** A UI that leads elsewhere, sets cookies, greets websockets, and tells what it was asked. */
const program = `
const { createServer } = require('node:http');
createServer((request, response) => {
  const [, to] = /^\\/lead\\?to=(.*)$/.exec(request.url) ?? [];
  if (to !== undefined) return response.writeHead(302, { location: decodeURIComponent(to) }).end();
  response.setHeader('set-cookie', ['own=1; Path=/', 'placed=1; Path=' + process.env.LUNA_BASE_PATH]);
  response.end(JSON.stringify({ url: request.url, headers: request.headers, base: process.env.LUNA_BASE_PATH, luna: process.env.LUNA_URL }));
}).on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n');
  socket.write('hello ' + request.url + ' ' + request.headers['x-forwarded-prefix']);
}).listen(Number(process.argv[2]), '127.0.0.1');
`;
const board = {
  'extensions/board/ui/server.cjs': program,
  'extensions/board/ui/start.sh': '#!/bin/sh\nexec node server.cjs "$1"\n',
  'extensions/keeping/config.json': JSON.stringify({ ui: { strip_prefix: false } }),
  'extensions/keeping/ui/server.cjs': program,
  'extensions/keeping/ui/start.sh': '#!/bin/sh\nexec node server.cjs "$1"\n',
};

interface Below {
  readonly luna: RunningLuna;
  readonly proxy: PathProxy;
  /** Where people find it. */
  readonly place: string;
}

async function lunaBelow(
  kind: PathProxyKind,
  {
    files = {},
    env = {},
    wellKnown = true,
  }: { files?: object; env?: Record<string, string>; wellKnown?: boolean } = {},
): Promise<Below> {
  const proxy = await startPathProxy(kind, '/luna', { wellKnown });
  const luna = await startLuna(await homeOf({ ...tool, ...files }), {
    env: { LUNA_PUBLIC_URL: `${proxy.place}/`, ...env },
  });
  proxy.target = luna.url;
  return { luna, proxy, place: proxy.place };
}

describe.each(['keeps', 'strips'] as const)('behind a proxy that %s the path', (kind) => {
  test('official clients sign in to the hub main, call a tool, and renew their tokens', async () => {
    const { luna, proxy, place } = await lunaBelow(kind);
    const person = new PersonInBrowser(place);
    await person.signInByLink(luna);
    const url = new URL(`${place}/api/mcp`);

    const memory = new ClientMemory();
    const first = new V1Transport(url, { authProvider: memory as never });
    await expect(new Client({ name: 'v1', version: '1' }).connect(first)).rejects.toBeInstanceOf(UnauthorizedError);
    expect(memory.sentTo?.searchParams.get('resource')).toBe(url.href);
    const page = await person.open(memory.sentTo ?? '');
    expect(page.url.href).toMatch(`${place}/auth/consent/`);
    const { url: back } = await person.press(page.url, 'allow');
    expect(back.searchParams.get('iss')).toBe(place);
    await first.finishAuth(back.searchParams.get('code') ?? '');
    memory.held = { ...memory.held, access_token: 'run.out.long-ago' };
    const client = new Client({ name: 'v1', version: '1' });
    onTestFinished(() => client.close());
    await client.connect(new V1Transport(url, { authProvider: memory as never }));
    expect((await client.callTool({ name: 'a' })).content).toEqual([{ type: 'text', text: 'A' }]);

    const other = new ClientMemory();
    const transport = () => new StreamableHTTPClientTransport(url, { authProvider: other as never });
    const opened = transport();
    await expect(new ModernClient({ name: 'v2', version: '1' }).connect(opened)).rejects.toThrow();
    const asked = await person.open(other.sentTo ?? '');
    await opened.finishAuth((await person.press(asked.url, 'allow')).url.searchParams);
    const modern = new ModernClient({ name: 'v2', version: '1' });
    onTestFinished(() => modern.close());
    await modern.connect(transport());
    expect((await modern.callTool({ name: 'a' })).content).toEqual([{ type: 'text', text: 'A' }]);
    // Not one request of either left the place of Luna.
    expect(proxy.strays).toEqual([]);
  });

  test('a client that is only given what lies below the path finds its way too', async () => {
    const { luna, place } = await lunaBelow(kind, { wellKnown: false });
    const person = new PersonInBrowser(place);
    await person.signInByLink(luna);
    const memory = new ClientMemory();
    const url = new URL(`${place}/api/mcp`);
    const transport = new StreamableHTTPClientTransport(url, { authProvider: memory as never });
    await expect(new ModernClient({ name: 'v2', version: '1' }).connect(transport)).rejects.toThrow();
    const page = await person.open(memory.sentTo ?? '');
    await transport.finishAuth((await person.press(page.url, 'allow')).url.searchParams);
    const client = new ModernClient({ name: 'v2', version: '1' });
    onTestFinished(() => client.close());
    await client.connect(new StreamableHTTPClientTransport(url, { authProvider: memory as never }));
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['a']);
  });

  test('the metadata of OAuth is where each specification looks for it', async () => {
    const { luna, proxy, place } = await lunaBelow(kind);
    const { origin } = proxy;
    const json = async (url: string) => (await fetch(url)).json();
    for (const url of [
      `${origin}/.well-known/oauth-authorization-server/luna`,
      `${origin}/.well-known/openid-configuration/luna`,
      `${place}/.well-known/oauth-authorization-server`,
      `${place}/.well-known/openid-configuration`,
    ]) {
      expect(await json(url), url).toMatchObject({
        issuer: place,
        authorization_endpoint: `${place}/api/authorize`,
        token_endpoint: `${place}/api/token`,
        registration_endpoint: `${place}/api/register`,
        revocation_endpoint: `${place}/api/revoke`,
        jwks_uri: `${place}/api/jwks`,
      });
    }
    for (const url of [
      `${origin}/.well-known/oauth-protected-resource/luna/api/mcp`,
      `${origin}/.well-known/oauth-protected-resource/luna`,
      `${place}/.well-known/oauth-protected-resource/api/mcp`,
      `${place}/.well-known/oauth-protected-resource`,
    ]) {
      expect(await json(url), url).toMatchObject({ resource: `${place}/api/mcp`, authorization_servers: [place] });
    }
    const refused = await fetch(`${place}/api/mcp`, { method: 'POST' });
    expect(refused.headers.get('www-authenticate')).toContain(
      `resource_metadata="${place}/.well-known/oauth-protected-resource/api/mcp"`,
    );
    // Asked by the name of this machine it names itself so, for clients insist on that.
    const local = await json(`${luna.url}/.well-known/oauth-protected-resource/api/mcp`);
    expect(local).toMatchObject({ resource: `${luna.url}/api/mcp`, authorization_servers: [place] });
    const withBase = await json(`${luna.url}/luna/.well-known/oauth-protected-resource/api/mcp`);
    expect(withBase.resource).toBe(`${luna.url}/luna/api/mcp`);
    // A wrong client reads why on a page whose style is there.
    const wrong = await fetch(`${place}/api/authorize?client_id=nobody`);
    const style = /href="([^"]+)"/.exec(await wrong.text())?.[1] ?? '';
    expect((await fetch(new URL(style, place))).headers.get('content-type')).toContain('text/css');
    expect(proxy.strays).toEqual([]);
  });

  test('a hub with a key, streams of the older SSE, and agents', async () => {
    const { luna, proxy, place } = await lunaBelow(kind);
    const requestInit = { headers: { authorization: `Bearer ${await luna.hubKey()}` } };
    const { servers } = await (await luna.api('GET', 'mcp-servers')).json();
    const { url: hub } = servers.find(({ name }: { name: string }) => name === 'default');
    expect(hub).toBe(`${place}/api/mcp-default`);
    for (const transport of [
      new StreamableHTTPClientTransport(new URL(hub), { requestInit }),
      new SSEClientTransport(new URL(`${hub}/sse`), { requestInit }),
    ]) {
      const client = new ModernClient({ name: 'test', version: '1' });
      onTestFinished(() => client.close());
      await client.connect(transport);
      expect((await client.callTool({ name: 'a' })).content).toEqual([{ type: 'text', text: 'A' }]);
    }
    const authorization = `Bearer ${(await luna.env()).AGENT_API_KEY}`;
    for (const path of ['/v1/models', '/api/agent/v1/models'])
      expect((await fetch(place + path, { headers: { authorization } })).status).toBe(200);
    const { clients } = await (await luna.api('GET', 'mcp-servers/default/clients')).json();
    for (const { client, text } of clients)
      expect(text.includes(hub) || client === 'claude-desktop', client).toBe(true);
    expect(proxy.strays).toEqual([]);
  });

  test('people sign in, and their cookie stays below the path', async () => {
    const { luna, place, proxy } = await lunaBelow(kind);
    expect(luna.signInLink).toMatch(`${place}/sign-in#token=`);
    const link = (await command(['link', '--home', luna.home])).stdout.trim();
    expect(link).toMatch(`${place}/sign-in#token=`);
    const token = new URL(link).hash.replace('#token=', '');
    const answer = await fetch(`${place}/auth/once`, {
      method: 'POST',
      headers: { origin: proxy.origin, 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    expect(answer.status).toBe(204);
    for (const cookie of answer.headers.getSetCookie()) expect(cookie).toMatch(/; path=\/luna;/);

    const client = new RawOAuthClient(place);
    await client.register();
    const person = new PersonInBrowser(place);
    const { url } = await person.open(client.authorizeUrl());
    expect(url.pathname).toBe('/luna/sign-in');
    const next = url.searchParams.get('next') ?? '';
    expect(next).toMatch(/^\/auth\/consent\//);
    await person.signInByLink(luna);
    expect((await person.open(next)).response.status).toBe(200);
    const { access_token } = await client.tokens(person);
    expect((await client.list(access_token)).status).toBe(200);
    expect((await person.send('GET', '/auth/me')).status).toBe(200);
    expect((await person.send('POST', '/auth/logout')).status).toBe(204);
    expect((await person.send('GET', '/auth/me')).status).toBe(401);
    expect(proxy.strays).toEqual([]);
  });

  test('with GitHub, and at MCP servers that people authorize, the way back leads below the path', async () => {
    const github = await startGitHub('a-secret');
    const server = await startProtectedServer();
    onTestFinished(() => server.close());
    const config = { remote_mcp_servers: { guarded: { url: server.url.href } } };
    const { proxy, place } = await lunaBelow(kind, {
      files: { 'master_config.json': JSON.stringify(config) },
      env: {
        GITHUB_CLIENT_ID: 'an-id',
        GITHUB_CLIENT_SECRET: 'a-secret',
        GITHUB_ALLOWED_USERS: 'ada',
        GITHUB_URL: github.url,
        GITHUB_API_URL: `${github.url}/api/v3`,
      },
    });
    const ada = new PersonInBrowser(place);
    const away = await ada.open('/auth/login?next=%2Ftools%3Fx%3D1');
    expect(away.url.searchParams.get('redirect_uri')).toBe(`${place}/auth/callback`);
    const back = (await fetch(away.url, { redirect: 'manual' })).headers.get('location') ?? '';
    expect((await ada.open(back)).url.href).toBe(`${place}/tools?x=1`);
    expect(await (await ada.send('GET', '/auth/me')).json()).toMatchObject({ name: 'ada' });

    const begun = await (await ada.send('POST', '/api/supervisor/remote-mcp/guarded/authorize')).json();
    expect(new URL(begun.url).searchParams.get('redirect_uri')).toBe(`${place}/auth/upstream/callback`);
    const { url, response } = await ada.open(await server.agree(begun.url));
    expect([url.href, response.status]).toEqual([`${place}/sources`, 200]);
    const { servers } = await (await ada.send('GET', '/api/supervisor/remote-mcp/list')).json();
    expect(servers[0]).toMatchObject({ authorized: true, health: { status: 'ready' } });
    expect(proxy.strays).toEqual([]);
  });

  test('UIs of extensions: pages, where they lead, cookies and websockets', async () => {
    const { luna, proxy, place } = await lunaBelow(kind, { files: board });
    const { services } = await (await luna.api('GET', 'services')).json();
    expect(services[0]).toMatchObject({ name: 'board.ui', url: `${place}/ext/board/` });
    const asPage = { headers: { accept: 'text/html' }, redirect: 'manual' } as const;
    const stranger = await fetch(`${place}/ext/board/x?y=1`, asPage);
    expect(stranger.headers.get('location')).toBe('/luna/sign-in?next=%2Fext%2Fboard%2Fx%3Fy%3D1');

    const person = new PersonInBrowser(place);
    await person.signInByLink(luna);
    expect((await person.open('/ext/board?q=1')).url.href).toBe(`${place}/ext/board/?q=1`);
    const seen = await (await person.open('/ext/board/some/page?a=%20b')).response.json();
    expect(seen).toMatchObject({ url: '/some/page?a=%20b', base: '/luna/ext/board/', luna: place });
    expect(seen.headers).toMatchObject({
      'x-forwarded-prefix': '/luna/ext/board',
      'x-forwarded-host': new URL(place).host,
      'x-luna-role': 'admin',
    });
    expect(person.cookies.get('own')).toBe('1');
    // One that is told not to lose its prefix gets what the browser asked for.
    const kept = await (await person.open('/ext/keeping/some?a=b')).response.json();
    expect(kept).toMatchObject({ url: '/luna/ext/keeping/some?a=b', base: '/luna/ext/keeping/' });
    for (const [to, location] of [
      ['/login', '/luna/ext/board/login'],
      ['/ext/board/login', '/luna/ext/board/login'],
      ['/luna/ext/board/login', '/luna/ext/board/login'],
      ['login', 'login'],
      ['https://elsewhere.example/', 'https://elsewhere.example/'],
    ]) {
      const response = await person.send('GET', `/ext/board/lead?to=${encodeURIComponent(to ?? '')}`);
      expect(response.headers.get('location')).toBe(location);
    }

    const cookie = [...person.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const { host } = new URL(place);
    const upgrade = async (headers: string) =>
      headOf(
        await rawConnection(proxy.origin),
        `GET /luna/ext/board/live?x=1 HTTP/1.1\r\nhost: ${host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n${headers}\r\n`,
      );
    expect(await upgrade(`cookie: ${cookie}\r\norigin: ${proxy.origin}\r\n`)).toMatch(/^HTTP\/1.1 101/);
    expect(await upgrade(`cookie: ${cookie}\r\norigin: https://evil.example\r\n`)).toMatch(/^HTTP\/1.1 403/);
    expect(await upgrade('')).toMatch(/^HTTP\/1.1 401/);
    expect(proxy.strays).toEqual([]);
  });

  test('web interfaces of external services', async () => {
    const definition = async (name: string, ui: object) => ({
      name,
      config_form: { fields: [{ name: 'port', type: 'port', default: await freePort() }] },
      commands: {
        install: 'true',
        run: [process.execPath, '-e', program.replace('process.argv[2]', 'process.env.LUNA_CONFIG_PORT')],
      },
      ui: { port_field: 'port', ...ui },
    });
    const files = {
      'external_services/small/service.json': JSON.stringify(await definition('small', {})),
      'external_services/whole/service.json': JSON.stringify(await definition('whole', { strip_prefix: false })),
    };
    const { luna, proxy, place } = await lunaBelow(kind, { files });
    for (const name of ['small', 'whole']) {
      await askService(luna, 'POST', `${name}/install`, {});
      await untilService(luna, name, { status: 'running', path: `/ext_service/${name}/` });
    }
    const person = new PersonInBrowser(place);
    await person.signInByLink(luna);
    const small = await eventually(async () => {
      const { url, response } = await person.open('/ext_service/small?q=1');
      expect([url.href, response.status]).toEqual([`${place}/ext_service/small/?q=1`, 200]);
      return response.json();
    });
    expect(small).toMatchObject({ url: '/?q=1', headers: { 'x-forwarded-prefix': '/luna/ext_service/small' } });
    const led = await person.send('GET', '/ext_service/small/lead?to=%2Flogin');
    expect(led.headers.get('location')).toBe('/luna/ext_service/small/login');
    const whole = await eventually(async () => (await person.open('/ext_service/whole/x')).response.json());
    expect(whole).toMatchObject({ url: '/luna/ext_service/whole/x' });
    expect(proxy.strays).toEqual([]);
  });

  test('the pages: all that they name is there, at any depth, and nothing of it is old', async () => {
    const { proxy, place } = await lunaBelow(kind);
    const { host } = new URL(place);
    for (const path of ['', '/', '/tools/some-tool', '/runs/1', '/sign-in']) {
      const page = await fetch(place + path);
      const text = await page.text();
      expect(page.headers.get('content-security-policy')).toContain("base-uri 'none'");
      expect(page.headers.get('cache-control')).toBe('no-cache');
      expect(text).toContain('name="luna-base" content="/luna/"');
      const named = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, url = '']) => url);
      expect(named.length).toBeGreaterThan(3);
      for (const url of named) expect((await fetch(new URL(url, place))).status, url).toBe(200);
      // By hand: fetch would ask for a new one in any case.
      const asked = `GET /luna${path} HTTP/1.1\r\nhost: ${host}\r\nif-none-match: ${page.headers.get('etag')}\r\n\r\n`;
      expect(await headOf(await rawConnection(proxy.origin), asked)).toMatch(/^HTTP\/1.1 304/);
    }
    expect(proxy.strays).toEqual([]);
  });
});

test('who asks this machine itself needs no path, and the path is no way around a guard', async () => {
  const { luna } = await lunaBelow('keeps');
  for (const path of ['/health', '/luna/healthz', '/readyz', '/luna/api/supervisor/health'])
    expect((await fetch(luna.url + path)).status, path).toBe(200);
  expect((await command(['status', '--home', luna.home])).code).toBe(0);
  const document = await (await luna.api('GET', '../openapi.json')).json();
  expect(document.servers).toEqual([{ url: '/luna' }]);

  const { host } = new URL(luna.url);
  const statusOf = async (path: string) => {
    const connection = await rawConnection(luna.url);
    const head = await headOf(connection, `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    return Number(/^HTTP\/1.1 (\d{3})/.exec(head)?.[1]);
  };
  const guarded = '/api/supervisor/status';
  for (const path of [guarded, `/luna${guarded}`, '/luna/API/supervisor/status', '/luna/metrics'])
    expect(await statusOf(path), path).toBe(401);
  for (const path of [
    `//luna${guarded}`,
    `/luna/${guarded}`,
    `/luna/..${guarded}`,
    `/x/../luna${guarded}`,
    `/luna/%2e%2e${guarded}`,
    `/luna%2f${guarded}`,
    `/luna/.${guarded}`,
    `/luna\\${guarded}`,
    `http://${host}/luna${guarded}`,
    'luna',
  ])
    expect(await statusOf(path), path).toBe(400);
  // Another name, written otherwise: a page of the UI, as any path that nothing knows.
  for (const path of [
    `/lunatic${guarded}`,
    `/%6cuna${guarded}`,
    `/LUNA${guarded}`,
    `/luna/luna${guarded}`,
    `/luna;x${guarded}`,
  ])
    expect(await statusOf(path), path).toBe(200);
  expect(await statusOf('/luna/api/lunatic')).toBe(404);
});

test('public_domain may have a path too, and another one counts at once', async () => {
  const luna = await startLuna(
    await homeOf({
      ...tool,
      'master_config.json': JSON.stringify({ deployment_mode: 'custom_domain', public_domain: 'example.org/luna/' }),
    }),
  );
  expect(luna.signInLink).toMatch('https://example.org/luna/sign-in#token=');
  expect((await fetch(`${luna.url}/luna/health`)).status).toBe(200);
  const put = async (public_domain: string) => {
    const config = await (await luna.api('GET', 'config/master')).json();
    return luna.api('PUT', 'config/master', { ...config, public_domain });
  };
  expect((await put('example.org/other')).status).toBe(200);
  const { hubs } = await (await luna.api('GET', 'status')).json();
  expect(hubs[0].url).toMatch('https://example.org/other/api/mcp');
  expect(await (await fetch(`${luna.url}/other/tools`)).text()).toContain('content="/other/"');
  const refused = await put('example.org/api');
  expect([refused.status, (await refused.json()).error.message]).toEqual([
    400,
    expect.stringContaining('public_domain'),
  ]);
});

test.each([
  ['https://example.org/luna?x=1', 'no "?"'],
  ['https://example.org/a/../b', 'between the slashes'],
  ['https://example.org/api/luna', 'one of Luna'],
  ['example.org/luna', 'must be an address such as'],
])('LUNA_PUBLIC_URL=%s is refused in words', async (url, words) => {
  const home = await temporaryFolder();
  const refused = await command(['serve', '--home', home, '--port', '0'], { env: { LUNA_PUBLIC_URL: url } });
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(words)]);
});
