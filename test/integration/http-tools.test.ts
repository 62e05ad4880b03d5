import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { clientKinds, connectHttp } from './support/clients.ts';
import { homeOf } from './support/homes.ts';
import { luna as command, startLuna } from './support/luna-process.ts';

async function service(): Promise<string> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/missing') response.writeHead(404).end('{"message":"no such thing"}');
    else response.end(JSON.stringify({ url: request.url, key: request.headers['x-key'] ?? null }));
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const fileOf = (url: string, tools: string) =>
  `base_url: ${url}\nallow_private_network: true\nheaders: { X-Key: "\${SERVICE_KEY}" }\ntools:\n${tools}`;
const thing =
  '  - { name: get_thing, description: Gets., path: "/things/{id}", parameters: { id: { type: string } } }\n';
const missing = '  - { name: get_missing, description: Gets nothing., path: /missing }\n';

test.each(clientKinds)('a file that is saved is tools at once, for %s', async (kind) => {
  const url = await service();
  const luna = await startLuna(
    await homeOf({ 'http/things.yaml': fileOf(url, thing), '.env': 'SERVICE_KEY=a-long-secret-key\n' }),
  );
  const client = await connectHttp(kind, luna);
  expect((await client.call('get_thing', { id: '7' })).structuredContent).toEqual({
    url: '/things/7',
    key: 'a-long-secret-key',
  });
  const added = client.nextListChange();
  await writeFile(join(luna.home, 'http', 'things.yaml'), fileOf(url, thing + missing));
  await added;
  const refused = await client.call('get_missing');
  expect([refused.isError, refused.content[0]?.text]).toEqual([
    true,
    expect.stringContaining('HTTP 404: {"message":"no such thing"}'),
  ]);
  const gone = client.nextListChange();
  await rm(join(luna.home, 'http', 'things.yaml'));
  await gone;
  expect(await client.tools()).toEqual([]);
});

test('plain JSON-RPC answers 502 for what the service refused', async () => {
  const env = 'AUTH_TOKEN=a-token-for-tests\nSERVICE_KEY=k\n';
  const luna = await startLuna(
    await homeOf({ 'http/things.yaml': fileOf(await service(), thing + missing), '.env': env }),
  );
  const call = (method: string, params = {}) =>
    fetch(`${luna.url}/mcp`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-token-for-tests' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
  expect((await call('get_thing', { id: '1' })).status).toBe(200);
  const refused = await call('get_missing');
  expect([refused.status, await refused.json()]).toMatchObject([502, { error: { data: { status: 404 } } }]);
});

test('luna openapi shows and writes what a document offers', async () => {
  const document = {
    openapi: '3.1.0',
    paths: {
      '/things/{id}': {
        get: {
          operationId: 'getThing',
          summary: 'Gets a thing',
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        },
        delete: { operationId: 'deleteThing' },
      },
    },
  };
  const url = await service();
  const home = await homeOf({ 'document.json': JSON.stringify(document) });
  const luna = await startLuna(home);
  const args = [
    'openapi',
    join(home, 'document.json'),
    '--home',
    home,
    '--base-url',
    url,
    '--allow-private-network',
    '--name',
    'things',
  ];
  const preview = await command([...args, '--preview']);
  expect([preview.code, preview.stdout]).toEqual([
    0,
    expect.stringMatching(/getThing +Gets a thing[\s\S]*2 tools\. Nothing was written/),
  ]);
  const written = await command([...args, '--exclude', 'DELETE *', '--json']);
  expect(JSON.parse(written.stdout).tools).toEqual([{ name: 'getThing', description: 'Gets a thing' }]);
  const again = await command(args);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is there already')]);
  const client = await connectHttp('client 2.x, 2026-07-28', luna);
  await expect.poll(async () => (await client.tools()).map(({ name }) => name)).toEqual(['getThing']);
  expect((await client.call('getThing', { id: '9' })).structuredContent).toMatchObject({ url: '/things/9' });
  for (const name of ['a b', '../escaped', 'api.openapi']) {
    const refused = await command(['openapi', join(home, 'none.json'), '--name', name, '--home', home]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('cannot be the name of the file')]);
  }
  const broken = await command(['openapi', join(home, 'none.json'), '--home', home]);
  expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('none.json')]);
});
