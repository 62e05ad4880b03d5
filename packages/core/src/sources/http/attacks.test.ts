import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import type { ToolResult } from '../../tools/index.ts';
import { HttpSource } from './source.ts';

/** What a hostile service would answer. */

/** A server that gets each connection as it is once a request has come in, with the text of the request. */
async function serve(answer: (socket: Socket, request: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.on('data', (data) => answer(socket, data.toString('latin1')));
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function toolAt(url: string, more: object = {}) {
  const folder = join(await temporaryFolder(), 'http');
  await mkdir(folder);
  const file = join(folder, 'service.yaml');
  const tools = [{ name: 'get', description: 'Gets.', path: '/', ...more }];
  const settings = { allow_private_network: true, retries: 0, timeout_seconds: 2 };
  await writeFile(file, JSON.stringify({ base_url: url, headers: { 'X-Api-Key': '${TOKEN}' }, ...settings, tools }));
  const source = new HttpSource({
    id: 'service',
    file,
    egress: () => ({ allowedHosts: [], allowPrivateNetwork: false }),
    secrets: async () => ({ TOKEN: 'a-secret' }),
  });
  onTestFinished(() => source.close());
  await source.start();
  return () => source.call('get', {}, { signal: new AbortController().signal });
}

const ok = 'HTTP/1.1 200 OK\r\n';
const textOf = ({ content }: ToolResult) => content.map(({ text }) => text).join('');

/** Writes on and on, as fast as it is taken. */
function flood(socket: Socket, beginning: string, chunk: string | Buffer): void {
  socket.write(beginning);
  const goOn = () => {
    while (socket.writable && socket.write(chunk));
    if (socket.writable) socket.once('drain', goOn);
  };
  goOn();
}

test.each<[string, (socket: Socket) => void, string]>([
  ['a body without end', (socket) => flood(socket, `${ok}\r\n`, Buffer.alloc(65_536, 0x61)), 'too_large'],
  [
    'a body that is announced as huge',
    (socket) => flood(socket, `${ok}content-length: 100000000000\r\n\r\n`, Buffer.alloc(65_536, 0x61)),
    'too_large',
  ],
  ['headers without end', (socket) => flood(socket, ok, `x: ${'y'.repeat(1_000)}\r\n`), 'source_unavailable'],
  ['a header without end', (socket) => flood(socket, `${ok}x: `, 'y'.repeat(10_000)), 'source_unavailable'],
  ['a body that drips', (socket) => drip(socket, `${ok}content-length: 1000\r\n\r\n`), 'timeout'],
  ['headers that drip', (socket) => drip(socket, `${ok}x: `), 'timeout'],
  ['nothing', () => undefined, 'timeout'],
  ['early hints without end', (socket) => flood(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)), 'timeout'],
  ['chunks that lie', (socket) => socket.write(`${ok}transfer-encoding: chunked\r\n\r\nZZZ\r\n`), 'source_unavailable'],
  ['what is not HTTP', (socket) => socket.end('hello\r\n\r\n'), 'source_unavailable'],
  [
    'two lengths',
    (socket) => socket.end(`${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nab`),
    'source_unavailable',
  ],
])('%s ends with an error, in time and in bounded memory', async (_what, answer, code) => {
  const call = await toolAt(await serve(answer));
  const before = process.memoryUsage().rss;
  await expect(call()).rejects.toMatchObject({ code });
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
});

function drip(socket: Socket, beginning: string): void {
  socket.write(beginning);
  const timer = setInterval(() => socket.write('y'), 50);
  socket.on('close', () => clearInterval(timer));
}

test('a compressed bomb stays what it is', async () => {
  const bomb = gzipSync(Buffer.alloc(100_000_000));
  const call = await toolAt(
    await serve((socket) => {
      socket.write(
        `${ok}content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`,
      );
      socket.write(bomb);
    }),
  );
  expect(JSON.stringify(await call()).length).toBeLessThan(1_000_000);
});

test.each([
  ['an object', (deep: string) => `{"a":${deep}}`],
  ['a list', (deep: string) => deep],
])('JSON nested 20,000 levels deep in %s is a failure of that call', async (_what, bodyOf) => {
  const body = bodyOf('['.repeat(20_000) + ']'.repeat(20_000));
  const call = await toolAt(
    await serve((socket) =>
      socket.write(`${ok}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
    ),
  );
  const result = await call();
  expect([result.isError, textOf(result)]).toEqual([true, expect.stringContaining('nested deeper')]);
});

test.each([301, 302, 303, 307, 308])('a redirect (%i) takes no secret to another host', async (status) => {
  const heard: string[] = [];
  const other = await serve((socket, request) => {
    heard.push(request);
    socket.end(`${ok}content-length: 2\r\n\r\nok`);
  });
  const call = await toolAt(
    await serve((socket) =>
      socket.end(`HTTP/1.1 ${status} Moved\r\nlocation: ${other}/x\r\ncontent-length: 0\r\n\r\n`),
    ),
    {
      method: 'GET',
      headers: { Authorization: 'Bearer ${TOKEN}', Cookie: 'a=${TOKEN}', 'Proxy-Authorization': '${TOKEN}' },
    },
  );
  expect(textOf(await call())).toBe('ok');
  expect(heard).toHaveLength(1);
  expect(heard[0]).not.toContain('a-secret');
});

test.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'http://', 'gopher://x', '//[::1', 'http://169.254.169.254/'])(
  'a redirect to %s fails and reads nothing',
  async (location) => {
    const call = await toolAt(
      await serve((socket) => socket.end(`HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`)),
    );
    const outcome = await call().then(
      (result) => (result.isError ? 'refused' : textOf(result)),
      (error) => error.code,
    );
    expect(['refused', 'source_unavailable', 'forbidden', 'upstream_error', 'timeout']).toContain(outcome);
  },
);

test.each([
  ['an unclosed list', '['.repeat(20_000)],
  ['a list', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  [
    'a schema',
    `{"openapi":"3.0.0","info":{"title":"x","version":"1"},"paths":{"/a":{"get":{"responses":{},"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}}}}`,
  ],
])('a file with %s that is nested too deep is down, and says so', async (_what, text) => {
  const file = join(await temporaryFolder(), 'deep.json');
  await writeFile(file, text);
  const source = new HttpSource({
    id: 'deep',
    file,
    egress: () => ({ allowedHosts: [], allowPrivateNetwork: false }),
    secrets: async () => ({}),
  });
  onTestFinished(() => source.close());
  await source.start();
  expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining('nested too deep') });
});
