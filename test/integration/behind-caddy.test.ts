import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCaddy } from './support/caddy.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf, put } from './support/homes.ts';
import { luna as command, startLuna, temporaryFolder } from './support/luna-process.ts';
import { freePort } from './support/ports.ts';
import { hasCaddy } from './support/programs.ts';

const domain = 'luna.example.test';

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** Luna with a Caddy in front of it, and a way to ask through it: by the name, from an address of one's choice. */
async function lunaBehindCaddy(files: Record<string, string> = {}, path = '') {
  const home = await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A'), ...files });
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const luna = await startLuna(home, { env: { LUNA_PUBLIC_URL: `https://${domain}:${httpsPort}${path}` } });
  const made = await command([
    ...['caddyfile', '--home', home, '--mode', 'custom_domain', '--domain', domain + path, '--internal-tls', '--print'],
    ...['--http-port', String(httpPort), '--https-port', String(httpsPort)],
  ]);
  expect(made.stderr).toBe('');
  expect(made.stdout).toContain(`reverse_proxy ${new URL(luna.url).host}`);
  const { root } = await startCaddy(made.stdout, domain, httpsPort);
  const options = (path: string, init: { method?: string; headers?: Record<string, string>; from?: string }) => ({
    host: '127.0.0.1',
    port: httpsPort,
    servername: domain,
    ca: root,
    path,
    method: init.method ?? 'GET',
    localAddress: init.from ?? '127.0.0.1',
    headers: { host: `${domain}:${httpsPort}`, ...init.headers },
    agent: false as const,
  });
  const ask = (
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string; from?: string } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = httpsRequest(options(path, init), (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      request.on('error', reject).end(init.body);
    });
  return { luna, ask, options, origin: `https://${domain}:${httpsPort}` };
}

/** What fetch is to a client of MCP, by way of Caddy; streams come piece by piece. */
function fetchThrough(options: (path: string, init: { method?: string; headers?: Record<string, string> }) => object) {
  return (input: string | URL, init: RequestInit = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      const url = new URL(input);
      const headers = Object.fromEntries(new Headers(init.headers));
      const method = init.method ?? 'GET';
      const request = httpsRequest(options(url.pathname + url.search, { method, headers }), (response) => {
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            response.on('data', (chunk: Buffer) => controller.enqueue(chunk));
            response.on('end', () => controller.close());
            response.on('error', (error) => controller.error(error));
          },
          cancel: () => void response.destroy(),
        });
        const status = response.statusCode ?? 500;
        const isEmpty = status === 204 || status === 202;
        resolve(
          new Response(isEmpty ? null : body, {
            status,
            headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          }),
        );
      });
      init.signal?.addEventListener('abort', () => request.destroy());
      request.on('error', reject).end(typeof init.body === 'string' ? init.body : undefined);
    });
}

async function wrongKey(ask: Awaited<ReturnType<typeof lunaBehindCaddy>>['ask'], from: string, headers = {}) {
  const body = '{}';
  return (
    await ask('/api/mcp-default', { method: 'POST', from, headers: { authorization: 'Bearer no', ...headers }, body })
  ).status;
}

describe.skipIf(!hasCaddy())('Luna behind Caddy', () => {
  test.each([
    'local',
    'local --domain luna.localhost',
    'ngrok --domain luna.ngrok.app --http-port 9080',
    'nip_io --domain 203.0.113.7',
    'nip_io --domain app-10-0-0-7.nip.io',
    'custom_domain --domain luna.example.com',
    'custom_domain --domain LUNA.example.com --internal-tls --http-port 8081 --https-port 8443',
    'custom_domain --domain example.org/luna',
    'ngrok --domain example.ngrok.app/home/luna/',
    'local --domain localhost/luna',
  ])('caddy takes what is written for %s', async (words) => {
    const args = words.split(' ');
    const folder = await temporaryFolder();
    const file = join(folder, 'Caddyfile');
    const made = await command([
      'caddyfile',
      '--home',
      await homeOf({}),
      '--output',
      file,
      '--json',
      '--mode',
      ...args,
    ]);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { domain: shown, next } = JSON.parse(made.stdout);
    expect(next.join('\n')).toContain(shown);
    const env = { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    const checked = await promisify(execFile)('caddy', ['validate', '--config', file, '--adapter', 'caddyfile'], {
      env,
    });
    expect(checked.stdout + checked.stderr).toContain('Valid configuration');
    // As Caddy itself would write it: it has no word to say about its form.
    expect(checked.stderr).not.toContain('not formatted');
    const text = await readFile(file, 'utf8');
    expect(text.includes('Strict-Transport-Security')).toBe(
      /luna\.example\.com|203/.test(shown) && !args.includes('--internal-tls'),
    );
    expect(text.includes('tls internal')).toBe(/localhost|10-0-0-7/.test(shown) || args.includes('--internal-tls'));
  });

  test('a client lists, calls and hears of changes, by TLS', async () => {
    const { luna, options, origin } = await lunaBehindCaddy();
    const requestInit = { headers: { authorization: `Bearer ${await luna.hubKey()}` } };
    const told: string[] = [];
    for (const mode of ['legacy', { pin: '2026-07-28' }] as const) {
      const client = new Client(
        { name: 'test', version: '1.0.0' },
        {
          versionNegotiation: { mode },
          listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => told.push(String(mode)) } },
        },
      );
      onTestFinished(() => client.close());
      await client.connect(
        new StreamableHTTPClientTransport(new URL(`${origin}/api/mcp-default`), {
          requestInit,
          fetch: fetchThrough(options),
        }),
      );
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['a']);
      expect((await client.callTool({ name: 'a' })).content).toEqual([{ type: 'text', text: 'A' }]);
    }
    // The stream is handed on as it comes, not when it ends.
    await put(luna.home, 'extensions/b/tools/b_tools.js', fixedTool('b', 'B'));
    await eventually(() => expect(told.sort()).toEqual(['[object Object]', 'legacy']));
  });

  test('what clients are told begins with the public address, whatever a request says of itself', async () => {
    const { luna, ask, origin } = await lunaBehindCaddy();
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'host=evil.example;proto=http',
      'x-luna-user': 'admin',
    };
    for (const headers of [{}, forged]) {
      const resource = JSON.parse((await ask('/.well-known/oauth-protected-resource/api/mcp', { headers })).text);
      expect(resource).toMatchObject({ resource: `${origin}/api/mcp`, authorization_servers: [origin] });
      const server = JSON.parse((await ask('/.well-known/oauth-authorization-server', { headers })).text);
      expect(server).toMatchObject({ issuer: origin, token_endpoint: `${origin}/api/token` });
      const refused = await ask('/api/mcp', { method: 'POST', headers });
      expect(refused.status).toBe(401);
      expect(refused.headers['www-authenticate']).toContain(`resource_metadata="${origin}/.well-known/`);
      expect((await ask('/api/supervisor/status', { headers })).status).toBe(401);
    }
    // Sent to Luna itself they do no more.
    const direct = await fetch(`${luna.url}/.well-known/oauth-authorization-server`, { headers: forged });
    expect((await direct.json()).issuer).toBe(origin);
    // Caddy knows no other host: it refuses the connection, or answers with nothing.
    const stranger = await ask('/auth/me', { headers: { host: 'evil.example' } }).catch(() => undefined);
    expect(stranger?.text ?? '').toBe('');
  });

  test('a block for a Caddyfile of one’s own leads a path to Luna, from what .env says', async () => {
    const home = await homeOf({ '.env': 'LUNA_PUBLIC_URL=https://example.org/luna\n' });
    const made = await command(['caddyfile', '--home', home, '--block', '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { file, next } = JSON.parse(made.stdout);
    expect(next.join('\n')).toContain(`the block of example.org in your Caddyfile:  import ${file}`);
    expect(next.join('\n')).not.toContain('Set ');
    const folder = await temporaryFolder();
    const site = join(folder, 'Caddyfile');
    await writeFile(site, `example.org {\n\timport ${file}\n\troot * /srv\n\tfile_server\n}\n`);
    const env = { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    const args = ['validate', '--config', site, '--adapter', 'caddyfile'];
    const checked = await promisify(execFile)('caddy', args, { env });
    expect(checked.stdout + checked.stderr).toContain('Valid configuration');

    const elsewhere = await command(['caddyfile', '--home', await homeOf({}), '--block']);
    expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringContaining('below a path')]);
    const broken = await command([
      'caddyfile',
      '--home',
      home,
      '--domain',
      'example.org/{luna}',
      '--mode',
      'custom_domain',
    ]);
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('between the slashes')]);
  });

  test('below a path of the domain: a client, the metadata of OAuth, pages, and nothing beside them', async () => {
    const { luna, ask, options, origin } = await lunaBehindCaddy({}, '/luna');
    const place = `${origin}/luna`;
    const requestInit = { headers: { authorization: `Bearer ${await luna.hubKey()}` } };
    const fetch = fetchThrough(options);
    for (const transport of [
      new StreamableHTTPClientTransport(new URL(`${place}/api/mcp-default`), { requestInit, fetch }),
      new SSEClientTransport(new URL(`${place}/api/mcp-default/sse`), { requestInit, fetch }),
    ]) {
      const client = new Client({ name: 'test', version: '1.0.0' });
      onTestFinished(() => client.close());
      await client.connect(transport);
      expect((await client.callTool({ name: 'a' })).content).toEqual([{ type: 'text', text: 'A' }]);
    }
    for (const path of ['/.well-known/oauth-authorization-server/luna', '/luna/.well-known/openid-configuration'])
      expect(JSON.parse((await ask(path)).text)).toMatchObject({ issuer: place, token_endpoint: `${place}/api/token` });
    const resource = await ask('/.well-known/oauth-protected-resource/luna/api/mcp');
    expect(JSON.parse(resource.text)).toMatchObject({ resource: `${place}/api/mcp`, authorization_servers: [place] });

    const page = await ask('/luna/tools');
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('content="/luna/"')]);
    expect((await ask(/src="([^"]+)"/.exec(page.text)?.[1] ?? '')).status).toBe(200);
    const token = new URL(luna.signInLink).hash.replace('#token=', '');
    const headers = { origin, 'content-type': 'application/json' };
    const signedIn = await ask('/luna/auth/once', { method: 'POST', headers, body: JSON.stringify({ token }) });
    expect(signedIn.status).toBe(204);
    for (const cookie of signedIn.headers['set-cookie'] ?? []) expect(cookie).toMatch(/path=\/luna;.*secure/i);
    expect((await ask('/luna/api/supervisor/status')).status).toBe(401);
    const long = await ask('/luna/api/mcp-default', { method: 'POST', headers: { 'content-length': '6000000' } }).catch(
      () => ({ status: 'broken off' }),
    );
    expect([413, 'broken off']).toContain(long.status);
    for (const path of ['/', '/api/mcp', '/health', '/lunatic', '/.well-known/oauth-authorization-server'])
      expect(await ask(path), path).toMatchObject({ status: 404, text: 'There is nothing here.' });
  });

  test('bodies and heads that are too long end at Caddy, and a request id goes through', async () => {
    const { luna, ask } = await lunaBehindCaddy();
    const authorization = `Bearer ${await luna.hubKey()}`;
    // Who still writes when Caddy has answered and closed may not get to read the answer.
    const statusOf = (headers: Record<string, string>) =>
      ask('/api/mcp-default', {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', ...headers },
        body: `"${'x'.repeat(6_000_000)}"`,
      }).then(
        ({ status }) => status,
        () => 'broken off',
      );
    expect([413, 'broken off']).toContain(await statusOf({ accept: 'application/json, text/event-stream' }));
    expect([413, 502, 'broken off']).toContain(await statusOf({ 'transfer-encoding': 'chunked' }));
    const long = ask('/health', { headers: { 'x-filler': 'x'.repeat(60_000) } });
    expect([431, 'broken off']).toContain(await long.then(({ status }) => status).catch(() => 'broken off'));
    expect((await ask('/health', { headers: { 'x-request-id': 'through-caddy' } })).headers['x-request-id']).toBe(
      'through-caddy',
    );
  });

  test('who sends wrong keys is known only where the proxy is trusted, and nobody can say they are another', async () => {
    const { luna, ask } = await lunaBehindCaddy();
    for (let tries = 0; tries < 20; tries++)
      await wrongKey(ask, '127.0.0.1', { 'x-forwarded-for': `198.51.100.${tries}` });
    // To Luna all of them are Caddy.
    expect(await wrongKey(ask, '127.0.0.1')).toBe(429);
    expect(await wrongKey(ask, '127.0.0.2')).toBe(429);
    const config = join(luna.home, 'master_config.json');
    const saved = JSON.parse(await readFile(config, 'utf8'));
    await writeFile(config, JSON.stringify({ ...saved, luna: { ...saved.luna, trusted_proxies: ['127.0.0.1'] } }));
    await eventually(async () => expect(await wrongKey(ask, '127.0.0.3')).toBe(401));
    for (let tries = 0; tries < 20; tries++)
      await wrongKey(ask, '127.0.0.4', { 'x-forwarded-for': `198.51.100.${tries}` });
    expect(await wrongKey(ask, '127.0.0.4', { 'x-forwarded-for': '198.51.100.99' })).toBe(429);
    expect(await wrongKey(ask, '127.0.0.5')).toBe(401);
  });
});
