import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startFeatureServer } from '../../../test/fixtures/feature-http-server.ts';
import { McpSource } from './source.ts';
import { openWayOut } from './way-out.ts';

/** A proxy that carries everything to one port of this machine, whatever host was asked for; tells which. */
async function startProxy(port: number) {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    const url = new URL(request.url ?? '');
    asked.push(url.host);
    const options = { port, path: url.pathname, method: request.method, headers: request.headers };
    request.pipe(
      httpRequest(options, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((settle) => proxy.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

test('a server is connected and called through the proxy, which looks its name up', async () => {
  const server = await startFeatureServer('v1 streamable');
  onTestFinished(() => server.close());
  const proxy = await startProxy(server.port);
  const source = new McpSource({
    id: 'far',
    target: { kind: 'http', url: new URL('http://far.invalid/mcp') },
    proxy: { httpProxy: proxy.url },
  });
  onTestFinished(() => source.close());
  await source.start();
  expect(source.health()).toEqual({ status: 'ready' });
  const result = source.call('echo', { text: 'hi' }, { signal: new AbortController().signal });
  expect(await result).toMatchObject({ content: [{ text: 'hi' }] });
  expect(new Set(proxy.asked.map((host) => host.replace(/:80$/, '')))).toEqual(new Set(['far.invalid']));
});

test('what is on this machine, or exempted, is reached without the proxy', async () => {
  const server = await startFeatureServer('v1 streamable');
  onTestFinished(() => server.close());
  const proxy = await startProxy(server.port);
  for (const host of ['127.0.0.1', 'localhost']) {
    const way = openWayOut(new URL(`http://${host}:${server.port}/mcp`), {
      proxy: { httpProxy: proxy.url, noProxy: 'example.org' },
    });
    onTestFinished(() => way.close());
    await (await way.fetch(`http://${host}:${server.port}/mcp`)).body?.cancel();
  }
  expect(proxy.asked).toEqual([]);
});

test('the proxy is not asked for an address inside', async () => {
  const proxy = await startProxy(9);
  const way = openWayOut(new URL('http://far.invalid/mcp'), { proxy: { httpProxy: proxy.url } });
  onTestFinished(() => way.close());
  for (const address of ['10.0.0.7', '169.254.169.254', '[::1]', '0x7f.1'])
    await expect(way.fetch(`http://${address}/`)).rejects.toMatchObject({ code: 'forbidden' });
  expect(proxy.asked).toEqual([]);
});
