import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { guardedConnect } from './dial.ts';
import { Http1Pool, type Http1PoolOptions } from './http1-pool.ts';

/** A server that hands each complete request, as text, to `answer`; what that returns is written. */
async function startServer(
  answer: (request: string, socket: Socket, number: number) => string | undefined,
  host = '127.0.0.1',
) {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
        if (end < 0 || text.length < end + 4 + length) return;
        const request = text.slice(0, end + 4 + length);
        text = text.slice(request.length);
        requests.push(request);
        const written = answer(request, socket, requests.length);
        if (written !== undefined) socket.write(written, 'latin1');
      }
    });
  });
  await new Promise<void>((settle) => server.listen(0, host, settle));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, sockets, requests };
}

function poolFor(origin: string, options?: Http1PoolOptions): Http1Pool {
  const pool = new Http1Pool(origin, options);
  onTestFinished(() => pool.destroy());
  return pool;
}

interface Answered {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

function ask(pool: Http1Pool, options: { body?: string; headers?: Record<string, string>; signal?: AbortSignal } = {}) {
  return new Promise<Answered>((resolve, reject) => {
    const { body = 'hi', headers = {}, signal } = options;
    const answer: Answered = { status: 0, headers: {}, text: '' };
    const bytes: Buffer[] = [];
    pool.dispatch(
      { method: 'POST', path: '/mcp?x=1', headers, body },
      {
        onRequestStart: (controller) => signal?.addEventListener('abort', () => controller.abort(new Error('enough'))),
        onResponseStart(_controller, status, received) {
          answer.status = status;
          answer.headers = received;
        },
        onResponseData: (_controller, chunk) => void bytes.push(chunk),
        onResponseEnd: () => resolve({ ...answer, text: Buffer.concat(bytes).toString('utf8') }),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}

const fixed = (text: string, more = '') => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n${more}\r\n${text}`;

test('a request is sent whole, and its connection is used again', async () => {
  const server = await startServer(() => fixed('hello', 'X-One: a\r\nx-one: b\r\n'));
  const pool = poolFor(server.origin);
  const answer = await ask(pool, { headers: { accept: 'x/y', authorization: 'Bearer z' } });
  expect(answer).toEqual({
    status: 200,
    headers: { 'content-length': '5', 'x-one': ['a', 'b'] },
    text: 'hello',
  });
  expect(server.requests[0]).toBe(
    `POST /mcp?x=1 HTTP/1.1\r\nhost: ${new URL(server.origin).host}\r\nconnection: keep-alive\r\naccept: x/y\r\nauthorization: Bearer z\r\ncontent-length: 2\r\n\r\nhi`,
  );
  await ask(pool);
  expect(server.sockets).toHaveLength(1);
});

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ family }) => family === 'IPv6'),
);

test.runIf(hasIPv6)('a server is reached at an IPv6 address', async () => {
  const server = await startServer(() => fixed('six'), '::1');
  const pool = poolFor(server.origin, { connect: guardedConnect({ allowedHosts: ['::1'] }, { allowH2: false }) });
  expect((await ask(pool)).text).toBe('six');
});

test('bodies and headers keep their bytes', async () => {
  const server = await startServer(() => fixed('ok'));
  const pool = poolFor(server.origin);
  await ask(pool, { body: 'grüße 🌙', headers: { 'x-name': 'Jürgen' } });
  const bytes = Buffer.from(server.requests[0] ?? '', 'latin1');
  expect(bytes.toString('utf8')).toContain('\r\n\r\ngrüße 🌙');
  expect(bytes.toString('latin1')).toContain('x-name: Jürgen\r\n');
});

const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n \r\n0A\r\nwide world\r\n0\r\nTrailer: t\r\n\r\n';

test.each([
  ['of a known length', fixed('hello wide world')],
  ['in chunks', chunked],
  [
    'after signs of life',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n${fixed('hello wide world')}`,
  ],
])('an answer %s is read however it is cut', async (_name, text) => {
  const server = await startServer((_request, socket) => {
    socket.setNoDelay(true);
    // Each byte comes alone, which is the worst that a network can do.
    const next = (at: number) => {
      if (at < text.length) socket.write(text.slice(at, at + 1), 'latin1', () => setImmediate(() => next(at + 1)));
    };
    next(0);
    return undefined;
  });
  const pool = poolFor(server.origin);
  for (let turn = 0; turn < 2; turn++) expect((await ask(pool)).text).toBe('hello wide world');
  expect(server.sockets).toHaveLength(1);
});

test('an answer without a length ends with its connection', async () => {
  const server = await startServer((_request, socket) => {
    socket.end('HTTP/1.1 200 OK\r\n\r\nall of it');
    return undefined;
  });
  const pool = poolFor(server.origin);
  expect((await ask(pool)).text).toBe('all of it');
  expect((await ask(pool)).text).toBe('all of it');
  expect(server.sockets).toHaveLength(2);
});

test('an answer without a body ends with its head', async () => {
  const server = await startServer(() => 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n');
  const pool = poolFor(server.origin);
  expect(await ask(pool)).toMatchObject({ status: 204, text: '' });
});

test.each([
  ['that the server closes', fixed('x', 'Connection: close\r\n')],
  ['of HTTP/1.0', fixed('x').replace('1.1', '1.0')],
  ['that the server keeps no longer', fixed('x', 'Keep-Alive: timeout=1\r\n')],
  ['on which more came than was asked for', `${fixed('x')}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`],
])('a connection %s is not used again', async (_name, text) => {
  const server = await startServer(() => text);
  const pool = poolFor(server.origin);
  for (let turn = 0; turn < 3; turn++) expect((await ask(pool)).text).toBe('x');
  expect(server.sockets).toHaveLength(3);
});

test('what comes while nobody asks is no answer to the next request', async () => {
  const server = await startServer((_request, _socket, number) => fixed(`answer ${number}`));
  const pool = poolFor(server.origin);
  await ask(pool);
  const [first] = server.sockets;
  const closed = first && once(first, 'close');
  first?.write(fixed('poison'));
  await closed;
  expect((await ask(pool)).text).toBe('answer 2');
});

test('a connection that the server closed meanwhile costs no request', async () => {
  const server = await startServer((_request, _socket, number) => fixed(`answer ${number}`));
  const pool = poolFor(server.origin);
  for (let turn = 1; turn <= 3; turn++) {
    expect((await ask(pool)).text).toBe(`answer ${turn}`);
    await new Promise((settle) => setTimeout(settle, 30));
    const last = server.sockets.at(-1);
    const closed = last && once(last, 'close');
    last?.end();
    await closed;
  }
  expect(server.requests).toHaveLength(3);
});

test.each([
  ['is not HTTP', 'SSH-2.0-OpenSSH_9.9\r\n\r\n', /not HTTP/],
  ['is of another version', 'HTTP/2 200 OK\r\n\r\n', /not HTTP/],
  ['changes the protocol', 'HTTP/1.1 101 Switching\r\n\r\n', /protocol/],
  ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy', /not a number/],
  ['has a length and chunks', `${chunked.replace('\r\n', '\r\nContent-Length: 5\r\n')}`, /two ways/],
  ['has a coding that nobody asked for', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', /two ways/],
  ['has a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', /not a number/],
  ['folds a header', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n', /header/],
  ['has a name with a space', 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx', /header/],
  ['has a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', /size of a chunk/],
  ['has a chunk that goes on', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n', /longer/],
  ['has no end to its head', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`, /too long/],
  ['has a long head', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`, /too long/],
  ['is too long', fixed('x'.repeat(2_000)), /max size/i],
])('an answer that %s fails, and its connection is closed', async (_name, text, message) => {
  const server = await startServer(() => text);
  const pool = poolFor(server.origin, { maxResponseSize: 1_000 });
  const closed = new Promise((settle) => {
    const wait = () => (server.sockets[0] ? server.sockets[0].once('close', settle) : setImmediate(wait));
    wait();
  });
  await expect(ask(pool)).rejects.toThrow(message);
  await closed;
});

test.each([
  ['before it', ''],
  ['within its head', 'HTTP/1.1 200'],
  ['within its body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab'],
  ['within its chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
])('a connection that closes %s fails the request, which is not sent again', async (_name, text) => {
  const server = await startServer((_request, socket) => {
    socket.end(text);
    return undefined;
  });
  await expect(ask(poolFor(server.origin))).rejects.toThrow('other side closed');
  expect(server.requests).toHaveLength(1);
});

test('a request that is aborted closes its connection; the next has another', async () => {
  const aborting = new AbortController();
  const server = await startServer((_request, _socket, number) => {
    if (number > 1) return fixed('later');
    aborting.abort();
    return undefined;
  });
  const pool = poolFor(server.origin);
  await expect(ask(pool, { signal: aborting.signal })).rejects.toThrow('enough');
  expect((await ask(pool)).text).toBe('later');
});

test('requests wait in turn where there are no more connections', async () => {
  const server = await startServer((request) => fixed(request.slice(-2)));
  const pool = poolFor(server.origin, { connections: 2 });
  const asked = Array.from({ length: 50 }, (_, number) => String(number + 10));
  const answers = await Promise.all(asked.map((body) => ask(pool, { body })));
  expect(answers.map(({ text }) => text)).toEqual(asked);
  expect(server.sockets.length).toBeLessThanOrEqual(2);
  expect(server.requests.map((request) => request.slice(-2))).toEqual(asked);
});

test('where nobody listens every request fails', async () => {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  const { port } = server.address() as AddressInfo;
  await new Promise((settle) => server.close(settle));
  const pool = poolFor(`http://127.0.0.1:${port}`);
  const settled = await Promise.allSettled([ask(pool), ask(pool), ask(pool)]);
  expect(settled.map((one) => one.status === 'rejected' && (one.reason as { code?: string }).code)).toEqual([
    'ECONNREFUSED',
    'ECONNREFUSED',
    'ECONNREFUSED',
  ]);
});

test.each([
  ['a line end in a value', { 'x-a': 'b\r\nhost: evil' }],
  ['a line end in a name', { 'x\r\ny': 'b' }],
  ['a character of several bytes', { 'x-a': '🌙' }],
  ['a length of its own', { 'content-length': '7' }],
  ['a coding of its own', { 'Transfer-Encoding': 'chunked' }],
])('a request with %s is not sent', async (_name, headers) => {
  const server = await startServer(() => fixed('ok'));
  await expect(ask(poolFor(server.origin), { headers })).rejects.toThrow(/header/);
  expect(server.requests).toEqual([]);
});

test('a pool that was closed ends what is under way, and takes nothing more', async () => {
  const pool: { it?: Http1Pool } = {};
  const server = await startServer(() => {
    void pool.it?.destroy();
    return undefined;
  });
  pool.it = poolFor(server.origin, { connections: 1 });
  const settled = await Promise.allSettled([ask(pool.it), ask(pool.it)]);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(ask(pool.it)).rejects.toThrow(/destroyed/);
});
