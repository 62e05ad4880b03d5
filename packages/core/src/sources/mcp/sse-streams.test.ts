import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { McpSource } from './source.ts';

/** A server on the older SSE by hand that ends its stream in the place of answering a call. */
async function endingServer(): Promise<URL> {
  let stream: ServerResponse | undefined;
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      stream = response;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return response.write('event: endpoint\ndata: /messages\n\n');
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(202).end();
    if (method === 'tools/call') return stream?.end();
    const result =
      method === 'initialize'
        ? { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: { name: 'ends', version: '1' } }
        : { tools: [{ name: 'end', inputSchema: { type: 'object' } }] };
    if (id !== undefined) stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`);
}

describe('a server that never says where to post', () => {
  async function muteServer(): Promise<{ url: URL; asked: Promise<unknown> }> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': I am here\n\n');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`);
    return { url, asked: once(server, 'request') };
  }

  test('keeps nobody from closing its source', async () => {
    const { url, asked } = await muteServer();
    const source = new McpSource({ id: 'mute', target: { kind: 'sse', url } });
    const starting = source.start();
    await asked;
    await source.close();
    await starting;
    expect(source.health().status).not.toBe('ready');
  });

  test('is down after the limit of connecting', async () => {
    const { url } = await muteServer();
    const source = new McpSource({ id: 'mute', target: { kind: 'sse', url }, connectLimitMs: 50 });
    onTestFinished(() => source.close());
    await source.start();
    expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining('not ready within 1 s') });
  });
});

test('a call whose server ends its stream says so in words', async () => {
  const source = new McpSource({ id: 'ends', target: { kind: 'sse', url: await endingServer() } });
  onTestFinished(() => source.close());
  await source.start();
  await expect(source.call('end', {}, { signal: new AbortController().signal })).rejects.toMatchObject({
    code: 'source_unavailable',
    message: 'The server ended its stream. Whether a call under way took effect is not known.',
  });
});
