import { once } from 'node:events';
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/fixtures/eventually.ts';
import { serveHub } from '../../test/fixtures/served-hub.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';
import { EventStream } from './event-stream.ts';

/** The text of a stream, as far as it has come. */
function reading(response: Response): { text: () => string; hasEnded: () => boolean } {
  let [text, ended] = ['', false];
  void (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString('utf8');
  })()
    .catch(() => undefined)
    .finally(() => {
      ended = true;
    });
  return { text: () => text, hasEnded: () => ended };
}

const beats = (text: string) => text.split(': \n\n').length - 1;

test('a session over SSE outlives its heartbeats', async () => {
  const source = testSource('s', [tool('echo')], async (_name, args) => textResult(JSON.stringify(args)));
  const { url } = await serveHub([source], { heartbeatMs: 20 });
  const { text, hasEnded } = reading(await fetch(new URL('/sse', url)));
  await eventually(() => text()).toContain('sessionId=');
  const [, address = ''] = /data: (\S+)/.exec(text()) ?? [];
  const post = (message: object) =>
    fetch(new URL(address, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'tests', version: '1' } };
  await post({ id: 1, method: 'initialize', params });
  await eventually(() => text()).toContain('"id":1,');
  const before = beats(text());
  await eventually(() => beats(text()) - before).toBeGreaterThan(5);
  const answer = await post({ id: 2, method: 'tools/call', params: { name: 'echo', arguments: { still: 'here' } } });
  expect(answer.status).toBe(202);
  await eventually(() => text()).toContain('still');
  expect(hasEnded()).toBe(false);
});

/** A stream, and its client that reads nothing until it is told to. */
async function unreadStream() {
  const opened = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => opened.resolve(response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const request = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  onTestFinished(() => {
    request.destroy();
    server.close();
  });
  request.on('error', () => undefined);
  const answered = once(request, 'response');
  const response = await opened.promise;
  const stream = new EventStream(response);
  const [incoming] = await answered;
  incoming.pause();
  return { stream, response, incoming };
}

test('a stream that has just been written to is not given up', async () => {
  const { stream } = await unreadStream();
  stream.send('{}');
  stream.beat();
  stream.beat();
  expect(stream.isOpen).toBe(true);
});

test('a client that reads slowly keeps its stream, and one that reads nothing any more loses it', async () => {
  const { stream, response, incoming } = await unreadStream();
  const megabyte = 'x'.repeat(1_000_000);
  for (let sent = 0; sent < 20; sent++) stream.send(megabyte);
  for (let beat = 0; beat < 6; beat++) {
    const waiting = response.writableLength;
    stream.beat();
    expect(stream.isOpen).toBe(true);
    while (response.writableLength >= waiting && waiting > 0) {
      incoming.read();
      await new Promise((settle) => setImmediate(settle));
    }
  }
  for (let sent = 0; sent < 20; sent++) stream.send(megabyte);
  for (let beat = 0; beat < 4; beat++) stream.beat();
  expect(stream.isOpen).toBe(false);
});
