import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type TestSource, testSource, tool } from '../../test/test-source.ts';
import { type Selection, ToolRegistry, type ToolResult, textResult } from '../tools/index.ts';
import { McpHub } from './hub.ts';
import { HubHttp, type HubHttpOptions } from './hub-http.ts';

async function serve(source: TestSource, options: HubHttpOptions & { selection?: Selection } = {}) {
  const registry = new ToolRegistry();
  registry.add(source);
  const hub = new McpHub({ name: 'test', registry, selection: options.selection });
  const http = new HubHttp(hub, options);
  const server = createServer(
    (request, response) => void http.handle(request, response, { owner: String(request.headers['x-owner'] ?? '') }),
  );
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(async () => {
    await http.close();
    server.closeAllConnections();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return { url, hub, http, registry };
}

async function connect(url: URL, mode: 'legacy' | 'auto', onChanged = () => undefined): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } } },
  );
  await client.connect(new StreamableHTTPClientTransport(url));
  onTestFinished(() => client.close());
  return client;
}

const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const post = (url: URL, body: unknown, more: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) });
const initialize = {
  jsonrpc: '2.0',
  id: 'first',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

async function rawSession(url: URL, more: Record<string, string> = {}): Promise<Record<string, string>> {
  const response = await post(url, initialize, more);
  await response.text();
  return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '', ...more };
}

/** The JSON-RPC answer of a response, whether it came as JSON or as an event stream. */
async function answerOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return JSON.parse(text);
  const events = text.split('\n').filter((line) => line.startsWith('data: {'));
  const messages = events.map((line) => JSON.parse(line.slice('data: '.length)));
  return messages.find((message) => 'result' in message || 'error' in message);
}

const odd: ToolResult = {
  content: [
    { type: 'hologram', n: 1 },
    { type: 'text', text: '\u2028 "x"', _meta: { a: 1 } },
  ],
  structuredContent: { deep: [null, 1.5] },
  _meta: { 'x/y': 'z' },
  unknown: [true],
};

describe('the fast lane and the way of the SDK', () => {
  test('answer alike', async () => {
    const { url } = await serve(testSource('s', [tool('odd', { 'x-unknown': 1, title: 'Odd' })], async () => odd));
    const session = await rawSession(url);
    for (const request of [
      { method: 'tools/list', params: {} },
      { method: 'tools/call', params: { name: 'odd', arguments: {} } },
      { method: 'tools/call', params: { name: 'none' } },
      { method: 'tools/list', params: { cursor: 'bad' } },
    ]) {
      const ask = (meta: object) =>
        post(url, { jsonrpc: '2.0', id: 7, ...request, params: { ...request.params, ...meta } }, session).then(
          answerOf,
        );
      const fast = await ask({});
      // A token for progress needs a stream, which only the SDK keeps.
      expect(await ask({ _meta: { progressToken: 1 } }), request.method).toEqual(fast);
    }
  });

  test('relay a result with every field, in both eras', async () => {
    const { url } = await serve(testSource('s', [tool('odd')], async () => odd));
    const session = await rawSession(url);
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'odd', arguments: {} } };
    expect((await answerOf(await post(url, call, session))).result).toEqual(odd);
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'odd' };
    const { result } = await answerOf(await post(url, { ...call, params: { ...call.params, _meta } }, modern));
    expect(result).toMatchObject({ ...odd, resultType: 'complete' });
    const mismatch = await post(
      url,
      { ...call, params: { ...call.params, _meta } },
      { ...modern, 'mcp-name': 'other' },
    );
    expect({ status: mismatch.status, ...(await answerOf(mismatch)) }).toMatchObject({
      status: 400,
      error: { code: -32020 },
    });
    const unknown = await post(
      url,
      { ...call, method: 'no/such', params: { _meta } },
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'no/such' },
    );
    expect({ status: unknown.status, ...(await answerOf(unknown)) }).toMatchObject({
      status: 404,
      error: { code: -32601 },
    });
  });

  test('show an output that is no object as the 2025 protocols can', async () => {
    const { url } = await serve(
      testSource('s', [tool('list', { outputSchema: { type: 'array', items: { type: 'number' } } })], async () => ({
        content: [],
        structuredContent: [1, 2],
      })),
    );
    const legacy = await connect(url, 'legacy');
    expect((await legacy.listTools()).tools[0]?.outputSchema).toMatchObject({
      type: 'object',
      properties: { result: { type: 'array' } },
    });
    expect((await legacy.callTool({ name: 'list' })).structuredContent).toEqual({ result: [1, 2] });
    const modern = await connect(url, 'auto');
    expect((await modern.listTools()).tools[0]?.outputSchema).toEqual({ type: 'array', items: { type: 'number' } });
    expect((await modern.callTool({ name: 'list' })).structuredContent).toEqual([1, 2]);
  });
});

describe('many clients', () => {
  test('with colliding ids get their own answers, some cancelling', async () => {
    const source = testSource('s', [tool('wait')], async (_name, { who, ms }, { signal }) => {
      await new Promise((settle) => {
        const timer = setTimeout(settle, Number(ms));
        signal.addEventListener('abort', () => settle(clearTimeout(timer)));
      });
      return textResult(String(who));
    });
    const { url } = await serve(source);
    const sessions = await Promise.all(Array.from({ length: 50 }, () => rawSession(url)));
    const calls = sessions.flatMap((session, client) =>
      Array.from({ length: 10 }, async (_, id) => {
        const who = `${client}/${id}`;
        const params = { name: 'wait', arguments: { who, ms: (client * 7 + id * 13) % 40 } };
        const answer = post(url, { jsonrpc: '2.0', id, method: 'tools/call', params }, session).then(answerOf);
        if ((client + id) % 5 === 0)
          await post(url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } }, session);
        const { id: answered, result } = await answer;
        expect(answered).toBe(id);
        if (result) expect(result).toEqual(textResult(who));
      }),
    );
    await Promise.all(calls);
  });

  test('a cancellation reaches the call, and only that', async () => {
    const aborted: string[] = [];
    let running = 0;
    const source = testSource('s', [tool('wait')], (_name, { who }, { signal }) => {
      running++;
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error(String(aborted.push(String(who)))))),
      );
    });
    const { url } = await serve(source);
    const [one, two] = [await rawSession(url), await rawSession(url)];
    const call = (session: Record<string, string>, who: string) =>
      post(url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'wait', arguments: { who } } }, session);
    const first = call(one, 'one');
    void call(two, 'two').catch(() => undefined);
    await expect.poll(() => running).toBe(2);
    const accepted = await post(
      url,
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
      one,
    );
    expect(accepted.status).toBe(202);
    expect(await answerOf(await first)).toHaveProperty('error');
    expect(aborted).toEqual(['one']);
  });

  test('hear of a change that they see, and of no other', async () => {
    const source = testSource('s', [tool('seen')]);
    const { url, registry } = await serve(source, { selection: ({ tool: { name } }) => name !== 'hidden' });
    const heard: string[] = [];
    await connect(url, 'legacy', () => void heard.push('2025'));
    await connect(url, 'auto', () => void heard.push('2026'));
    source.setTools([tool('seen'), tool('hidden')]);
    source.setTools([tool('seen'), tool('hidden'), tool('new')]);
    await expect.poll(() => heard.sort()).toEqual(['2025', '2026']);
    registry.add(testSource('t', [tool('other')]));
    await expect.poll(() => heard.length).toBe(4);
  });
});

describe('a session', () => {
  test('belongs to who opened it, and ends by DELETE', async () => {
    const { url, http } = await serve(testSource('s', [tool('a')]));
    const mine = await rawSession(url, { 'x-owner': 'me' });
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect((await post(url, list, mine)).status).toBe(200);
    for (const method of ['POST', 'GET', 'DELETE']) {
      const stolen = await fetch(url, {
        method,
        headers: { ...headers, ...mine, 'x-owner': 'thief' },
        ...(method === 'POST' && { body: JSON.stringify(list) }),
      });
      expect(stolen.status, method).toBe(404);
    }
    expect((await fetch(url, { method: 'DELETE', headers: { ...headers, ...mine } })).status).toBe(200);
    expect((await post(url, list, mine)).status).toBe(404);
    expect(http.sessionCount).toBe(0);
  });

  test('ends when it is not used, or when there are too many', async () => {
    const { url, http } = await serve(testSource('s', [tool('a')]), { sessionIdleMs: 1_500, maxSessions: 3 });
    const sessions: Record<string, string>[] = [];
    for (let count = 0; count < 5; count++) sessions.push(await rawSession(url));
    expect(http.sessionCount).toBe(3);
    expect((await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, sessions[0])).status).toBe(404);
    await expect.poll(() => http.sessionCount).toBe(0);
  });
});

test('pages hold every tool once, and a cursor outlives a change', async () => {
  const tools = Array.from({ length: 25 }, (_, index) => tool(`t${String(index).padStart(2, '0')}`));
  const source = testSource('s', tools);
  const registry = new ToolRegistry();
  registry.add(source);
  const hub = new McpHub({ name: 'test', registry, pageSize: 10 });
  const first = hub.tools.page();
  const second = hub.tools.page(first.nextCursor);
  source.setTools(tools.slice(5));
  const third = hub.tools.page(second.nextCursor);
  expect([...first.items, ...second.items, ...third.items].map(({ name }) => name)).toEqual(
    tools.map(({ name }) => name),
  );
  expect(third.nextCursor).toBeUndefined();
  for (const cursor of ['', 'x', 'W10', 7, null]) expect(() => hub.tools.page(cursor)).toThrow('cursor');
  expect(JSON.parse(`{${first.json}}`)).toEqual({ tools: first.items, nextCursor: first.nextCursor });
});
