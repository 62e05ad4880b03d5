import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { reachOf } from './addresses.ts';
import { guardedDispatcher, guardedFetch } from './dial.ts';
import type { EgressPolicy } from './policy.ts';

const answerOk: RequestListener = (_request, response) => response.end('ok');

/** A server on all of loopback, and who asked it. */
async function startServer(listener = answerOk) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host} at ${request.socket.localAddress}`);
    listener(request, response);
  });
  await new Promise<void>((settle) => server.listen(0, '0.0.0.0', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

/** Answers look-ups one after another from a list, the last for ever. */
function lookupOf(...answers: string[][]) {
  const lookups: string[] = [];
  const lookup: LookupFunction = (hostname, _options, callback) => {
    const answer = answers[Math.min(lookups.length, answers.length - 1)] ?? [];
    lookups.push(hostname);
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, lookups };
}

function fetchUnder(policy: EgressPolicy, lookup?: LookupFunction): typeof fetch {
  const dispatcher = guardedDispatcher(policy, { lookup });
  onTestFinished(() => dispatcher.destroy());
  return guardedFetch(dispatcher);
}

const refusal = (host: string) => ({ code: 'forbidden', message: expect.stringContaining(`add "${host}"`) });

test.each([
  ['8.8.8.8', 'public'],
  ['2606:4700::1111', 'public'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['::ffff:8.8.8.8', 'public'],
  ['127.0.0.1', 'private'],
  ['127.255.255.254', 'private'],
  ['0.0.0.0', 'private'],
  ['0.1.2.3', 'private'],
  ['10.1.2.3', 'private'],
  ['172.16.0.1', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['::', 'private'],
  ['::1', 'private'],
  ['fc00::1', 'private'],
  ['fd12:3456::1', 'private'],
  ['fec0::1', 'private'],
  ['::ffff:127.0.0.1', 'private'],
  ['::ffff:0:127.0.0.1', 'private'],
  ['::127.0.0.1', 'private'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b:1::10.0.0.1', 'private'],
  ['2002:7f00:1::1', 'private'],
  ['2001:0:4136:e378:8000:63bf:80ff:fffe', 'private'],
  ['169.254.169.254', 'metadata'],
  ['169.254.1.1', 'metadata'],
  ['fe80::1%eth0', 'metadata'],
  ['fd00:ec2::254', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['::ffff:a9fe:a9fe', 'metadata'],
  ['224.0.0.1', 'none'],
  ['255.255.255.255', 'none'],
  ['240.0.0.1', 'none'],
  ['198.18.0.1', 'none'],
  ['ff02::1', 'none'],
  ['2001:db8::1', 'none'],
  ['example.org', 'none'],
])('%s is %s', (address, reach) => {
  expect(reachOf(address)).toBe(reach);
});

test.each([
  '127.0.0.1',
  '127.1',
  '0x7f.1',
  '2130706433',
  '017700000001',
  '0',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  'localhost',
])('http://%s is refused before a byte is sent', async (host) => {
  const { port, asked } = await startServer();
  await expect(fetchUnder({})(`http://${host}:${port}/`)).rejects.toMatchObject({ code: 'forbidden' });
  expect(asked).toEqual([]);
});

test('a name that leads inside is refused, and the refusal says what to do', async () => {
  const { port, asked } = await startServer();
  const { lookup } = lookupOf(['127.0.0.1']);
  await expect(fetchUnder({}, lookup)(`http://inside.test:${port}/`)).rejects.toMatchObject(refusal('inside.test'));
  expect(asked).toEqual([]);
});

test('one address inside among others spoils the answer', async () => {
  const { port, asked } = await startServer();
  const { lookup } = lookupOf(['203.0.114.1', '127.0.0.1']);
  await expect(fetchUnder({}, lookup)(`http://mixed.test:${port}/`)).rejects.toMatchObject(refusal('mixed.test'));
  expect(asked).toEqual([]);
});

test('the address that was checked is the one that is dialled: one look-up for one connection', async () => {
  const { port, asked } = await startServer();
  const { lookup, lookups } = lookupOf(['127.0.0.1'], ['127.0.0.2']);
  const response = await fetchUnder({ allowedHosts: ['127.0.0.1'] }, lookup)(`http://rebinding.test:${port}/`);
  expect(await response.text()).toBe('ok');
  expect(lookups).toEqual(['rebinding.test']);
  expect(asked).toEqual([`rebinding.test:${port} at 127.0.0.1`]);
});

test('a redirect is judged like the first address', async () => {
  const inside = await startServer();
  const { port } = await startServer((_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.2:${inside.port}/latest/meta-data` }).end();
  });
  const answer = fetchUnder({ allowedHosts: ['127.0.0.1'] })(`http://127.0.0.1:${port}/`);
  await expect(answer).rejects.toMatchObject(refusal('127.0.0.2'));
  expect(inside.asked).toEqual([]);
});

test.each([
  ['an address', { allowedHosts: ['127.0.0.1'] }],
  ['the same address in another notation', { allowedHosts: ['::ffff:127.0.0.1'] }],
  ['a range', { allowedHosts: ['127.0.0.0/8'] }],
  ['a name', { allowedHosts: ['Inside.Test'] }],
  ['the whole private network', { allowPrivateNetwork: true }],
])('the owner allows %s', async (_what, policy) => {
  const { port } = await startServer();
  const { lookup } = lookupOf(['127.0.0.1']);
  const response = await fetchUnder(policy, lookup)(`http://inside.test:${port}/`);
  expect(response.status).toBe(200);
});

test.each([
  ['the whole private network', { allowPrivateNetwork: true }],
  ['a name', { allowedHosts: ['metadata.test'] }],
  ['a range', { allowedHosts: ['169.254.0.0/16'] }],
])('the credentials of a cloud machine are not meant by %s', async (_what, policy) => {
  const { lookup } = lookupOf(['169.254.169.254']);
  const answer = fetchUnder(policy, lookup)('http://metadata.test/');
  await expect(answer).rejects.toMatchObject(refusal('169.254.169.254'));
});

test('what a policy allows is asked at each dialling', async () => {
  const { port } = await startServer();
  let policy: EgressPolicy = {};
  const dispatcher = guardedDispatcher(() => policy);
  onTestFinished(() => dispatcher.destroy());
  const ask = () => guardedFetch(dispatcher)(`http://127.0.0.1:${port}/`);
  await expect(ask()).rejects.toMatchObject({ code: 'forbidden' });
  policy = { allowPrivateNetwork: true };
  expect((await ask()).status).toBe(200);
});

test('a name without an address says so', async () => {
  const { lookup } = lookupOf([]);
  await expect(fetchUnder({}, lookup)('http://nowhere.test/')).rejects.toMatchObject({
    code: 'source_unavailable',
    message: expect.stringContaining('nowhere.test'),
  });
});
