import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startFeatureServer } from '../../../test/fixtures/feature-http-server.ts';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import type { EgressPolicy } from '../egress/index.ts';
import { TokenStore, UpstreamAuthorization } from './oauth/index.ts';
import { McpSource } from './source.ts';
import { openWayOut } from './way-out.ts';

/** A server on all of loopback; its addresses 127.0.0.1, 127.0.0.2, … stand for different machines. */
async function serve(listener: RequestListener): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    listener(request, response);
  });
  await new Promise<void>((settle) => server.listen(0, '0.0.0.0', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

function wayTo(url: string, policy?: EgressPolicy) {
  const way = openWayOut(new URL(url), { policy });
  onTestFinished(() => way.close());
  return way;
}

async function sourceAt(url: URL, egress?: EgressPolicy): Promise<McpSource> {
  const source = new McpSource({ id: 'near', target: { kind: 'http-or-sse', url }, egress });
  onTestFinished(() => source.close());
  await source.start();
  return source;
}

test('an address inside that was typed for a server is allowed, for exactly that host', async () => {
  const { port } = await serve((_request, response) => response.end('ok'));
  const way = wayTo(`http://127.0.0.1:${port}/mcp`);
  expect((await way.fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  await expect(way.fetch(`http://127.0.0.2:${port}/`)).rejects.toMatchObject({ code: 'forbidden' });
  await expect(way.fetch(`http://127.0.0.3:${port}/`)).rejects.toMatchObject({ code: 'forbidden' });
  expect(way.refusal?.details).toMatchObject({ host: '127.0.0.3' });
});

test.each(['http://2130706434', 'http://0x7f.2', 'http://[::ffff:127.0.0.2]'])('%s is no way around', async (host) => {
  const { port, asked } = await serve((_request, response) => response.end('ok'));
  await expect(wayTo(`http://127.0.0.1:${port}/mcp`).fetch(`${host}:${port}/`)).rejects.toMatchObject({
    code: 'forbidden',
  });
  expect(asked).toEqual([]);
});

test('a redirect to another machine inside is not followed; one within the host is', async () => {
  const { port, asked } = await serve((request, response) => {
    const to = { '/near': '/end', '/far': `http://127.0.0.2:${port}/end` }[request.url ?? ''];
    if (to === undefined) response.end('ok');
    else response.writeHead(307, { location: to }).end();
  });
  const way = wayTo(`http://127.0.0.1:${port}/mcp`);
  expect(await (await way.fetch(`http://127.0.0.1:${port}/near`)).text()).toBe('ok');
  await expect(way.fetch(`http://127.0.0.1:${port}/far`)).rejects.toMatchObject({ code: 'forbidden' });
  expect(asked).toEqual(['/near', '/end', '/far']);
});

test('a source goes where its owner sent it, and its calls too', async () => {
  const server = await startFeatureServer('v1 streamable');
  onTestFinished(() => server.close());
  const source = await sourceAt(server.url);
  expect(source.health().status).toBe('ready');
  const call = source.call('echo', { text: 'hi' }, { signal: new AbortController().signal });
  expect(await call).toMatchObject({ content: [{ text: 'hi' }] });
});

test('a server cannot send Luna to an authorization server inside', async () => {
  const inside = await serve((_request, response) => response.end('{}'));
  const { port } = await serve((request, response) => {
    if (!request.url?.startsWith('/.well-known/oauth-protected-resource')) return response.writeHead(401).end();
    const resource = `http://127.0.0.1:${port}/mcp`;
    const metadata = { resource, authorization_servers: [`http://127.0.0.2:${inside.port}`] };
    return response.setHeader('content-type', 'application/json').end(JSON.stringify(metadata));
  });
  const url = new URL(`http://127.0.0.1:${port}/mcp`);
  const store = new TokenStore({ file: join(await temporaryFolder(), 'tokens.json'), secret: async () => 'secret' });
  const authorization = new UpstreamAuthorization({ server: 'near', url, store, fetch: wayTo(url.href).fetch });
  await expect(authorization.begin('http://127.0.0.1:9/back', 'me')).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('allowed_private_hosts'),
  });
  expect(inside.asked).toEqual([]);
});
