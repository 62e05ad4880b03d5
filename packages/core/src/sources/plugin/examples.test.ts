import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasPython } from '../../../test/fixtures/python.ts';
import { PluginSource } from './source.ts';

const plugins = join(import.meta.dirname, '../../../../../examples/home/plugins');
const call = { signal: new AbortController().signal };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function started(name: string, secrets: Record<string, string> = {}): Promise<PluginSource> {
  const source = new PluginSource({ folder: join(plugins, name), secrets: async () => secrets });
  closing.push(() => source.close());
  await source.start();
  expect(source.health()).toEqual({ status: 'ready' });
  return source;
}

describe.skipIf(!hasPython)('The example plugin devops', () => {
  it('tells of disks, processes, repositories and services', async () => {
    const source = await started('devops');
    const disk = await source.call('devops_disk', {}, call);
    expect(disk.structuredContent).toMatchObject({ path: '/', total_bytes: expect.any(Number) });
    const processes = await source.call('devops_processes', { sort: 'memory', limit: 2 }, call);
    expect(processes.structuredContent).toMatchObject({ processes: { length: 2 } });
    const status = await source.call('devops_git-status', { path: import.meta.dirname }, call);
    expect(status.structuredContent).toMatchObject({ branch: expect.any(String) });
    const service = await source.call('devops_service', { host: '127.0.0.1', port: 1 }, call);
    expect(service.structuredContent).toMatchObject({ reachable: false });
  });
});

describe.skipIf(!hasPython)('The example plugin botfather', () => {
  it('sends messages and clicks buttons with the token', async () => {
    const seen: unknown[] = [];
    const server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      seen.push([request.url, request.headers.authorization, JSON.parse(body)]);
      response.end('{"ok": true}');
    }).listen(0, '127.0.0.1');
    closing.push(async () => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const source = await started('botfather', { BOT_ENDPOINT: `http://127.0.0.1:${port}`, BOT_TOKEN: 'word' });
    const sent = await source.call('botfather_send-message', { chat: 'me', text: '-hello' }, call);
    expect(sent.structuredContent).toEqual({ ok: true });
    await source.call('botfather_click-button', { chat: 'me', message_id: '7', button: 'Yes' }, call);
    expect(seen).toEqual([
      ['/messages', 'Bearer word', { chat: 'me', text: '-hello' }],
      ['/clicks', 'Bearer word', { chat: 'me', message_id: '7', button: 'Yes' }],
    ]);
  });

  it('says what to set where there is no endpoint', async () => {
    const source = await started('botfather');
    const result = await source.call('botfather_send-message', { chat: 'me', text: 'x' }, call);
    expect(JSON.stringify(result)).toContain('Set BOT_ENDPOINT');
  });
});
