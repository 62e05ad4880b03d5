import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { answerOf, initialize, modern, type ServedHub, serveHub } from '../../test/fixtures/served-hub.ts';
import { testSource, tool } from '../../test/test-source.ts';
import type { ToolResult } from '../tools/index.ts';

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const callOf = (params: unknown) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
const served = () => serveHub([testSource('s', [tool('a')])]);

/** A good request still gets its answer: nothing that came before has harmed the hub. */
async function expectUnharmed({ post, session }: ServedHub): Promise<void> {
  expect(await answerOf(await post(list, await session()))).toMatchObject({ status: 200, result: { tools: [{}] } });
}

describe('a body', () => {
  test.each([
    ['that is no JSON', '{"jsonrpc": "2.0", ', -32700],
    ['that is empty', '', -32700],
    ['with text behind', '{} {}', -32700],
    ['with a byte order mark alone', '\ufeff', -32700],
    ['in an unknown encoding', new Uint8Array([0xff, 0xfe, 0x7b, 0x7d]), -32700],
    ['with half a character', new Uint8Array([0x22, 0xc3, 0x22]), -32700],
    ['nested 10,000 deep', `{"a":${'['.repeat(10_000)}`, -32600],
    ['nested 10,000 deep and closed', '['.repeat(10_000) + ']'.repeat(10_000), -32600],
  ])('%s is refused', async (_what, body, code) => {
    const hub = await served();
    for (const headers of [{}, await hub.session(), modern('tools/list').headers]) {
      const answer = await answerOf(await hub.send(body, headers));
      expect(answer).toMatchObject({ status: 400, jsonrpc: '2.0', id: null, error: { code } });
    }
    await expectUnharmed(hub);
  });

  test('whose texts are full of brackets is taken', async () => {
    const { post, session } = await served();
    const brackets = `${'[{'.repeat(5_000)}"\\`;
    const answer = await answerOf(await post(callOf({ name: 'a', arguments: { brackets } }), await session()));
    expect(answer).toMatchObject({ result: { structuredContent: { args: { brackets } } } });
  });

  test('longer than the limit is refused, announced or not, and its connection closed', async () => {
    const hub = await serveHub([testSource('s', [tool('a')])], { maxBodyBytes: 1_000 });
    const long = JSON.stringify(callOf({ name: 'a', arguments: { text: 'x'.repeat(5_000) } }));
    const session = await hub.session();
    const announced = await hub.send(long, session);
    expect(announced.headers.get('connection')).toBe('close');
    expect(await answerOf(announced)).toMatchObject({ status: 413, error: { code: -32000 } });
    const streamed = await fetch(hub.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...session },
      body: new ReadableStream({
        start(controller) {
          for (let at = 0; at < long.length; at += 100) controller.enqueue(Buffer.from(long.slice(at, at + 100)));
          controller.close();
        },
      }),
      duplex: 'half',
    } as RequestInit);
    expect(await answerOf(streamed)).toMatchObject({ status: 413, error: { code: -32000 } });
    const within = callOf({ name: 'a', arguments: { text: 'x'.repeat(800) } });
    expect(await answerOf(await hub.post(within, session))).toMatchObject({ status: 200, result: {} });
  });

  test.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/jsonx'], ['']])(
    'of the type %j is refused',
    async (type) => {
      const hub = await served();
      const answer = await answerOf(await hub.post(list, { ...(await hub.session()), 'content-type': type }));
      expect(answer).toMatchObject({ status: 415, error: { code: -32000 } });
      await expectUnharmed(hub);
    },
  );

  test.each([['application/json; charset=utf-8'], ['APPLICATION/JSON']])('of the type %j is taken', async (type) => {
    const hub = await served();
    const answer = await answerOf(await hub.post(list, { ...(await hub.session()), 'content-type': type }));
    expect(answer).toMatchObject({ status: 200, result: {} });
  });

  test('that never comes whole harms nobody', async () => {
    const hub = await served();
    const socket = connect(Number(hub.url.port), '127.0.0.1');
    socket.write(
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"jsonrpc":',
    );
    await expectUnharmed(hub);
    socket.destroy();
    await expectUnharmed(hub);
  });
});

describe('a message', () => {
  test.each([
    ['null', null],
    ['a number', 7],
    ['a text', 'tools/list'],
    ['an empty batch', []],
    ['without a version', { id: 1, method: 'tools/list' }],
    ['of another version', { jsonrpc: '1.0', id: 1, method: 'tools/list' }],
    ['with an id that cannot be one', { ...list, id: {} }],
    ['with a method that is none', { ...list, method: 7 }],
    ['with parameters that are none', { ...list, params: 7 }],
  ])('%s is refused with 400 and an error', async (_what, message) => {
    const hub = await served();
    for (const headers of [await hub.session(), modern('tools/list').headers]) {
      const answer = await answerOf(await hub.post(message, headers));
      expect(answer).toMatchObject({ status: 400, error: { code: expect.any(Number) } });
      expect([-32700, -32600, -32602, -32020]).toContain((answer.error as { code: number }).code);
    }
    await expectUnharmed(hub);
  });

  test('with an unknown method is answered so, in both eras', async () => {
    const { post, session } = await served();
    const older = await answerOf(await post({ ...list, method: 'no/such' }, await session()));
    expect(older).toMatchObject({ status: 200, id: 1, error: { code: -32601 } });
    const { message, headers } = modern('no/such');
    expect(await answerOf(await post(message, headers))).toMatchObject({ status: 404, id: 1, error: { code: -32601 } });
  });

  test('with keys that have a meaning in JavaScript pollutes nothing', async () => {
    const { send, session } = await served();
    const body = `{ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "__proto__": { "polluted": 1 },
      "params": { "name": "a", "arguments": { "__proto__": { "polluted": 1 }, "constructor": 1 } } }`;
    expect(await answerOf(await send(body, await session()))).toMatchObject({ status: 200, result: {} });
    expect({}).not.toHaveProperty('polluted');
  });

  test('that wants no answer gets none', async () => {
    const { post, session } = await served();
    const headers = await session();
    for (const message of [
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', method: 'notifications/no/such' },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'never sent' } },
      { jsonrpc: '2.0', method: 'notifications/cancelled' },
      { jsonrpc: '2.0', id: 99, result: {} },
    ]) {
      const response = await post(message, headers);
      expect({ status: response.status, body: await response.text() }).toEqual({ status: 202, body: '' });
    }
  });

  test('in a batch gets its answer, where the protocol has batches', async () => {
    const { post, session } = await served();
    const headers = await session('2025-03-26');
    const batch = [
      { ...list, id: 'one' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { ...callOf({ name: 'a' }), id: 'two' },
      { ...list, id: 'three', method: 'no/such' },
    ];
    const response = await post(batch, headers);
    expect(response.status).toBe(200);
    const text = await response.text();
    const answers = response.headers.get('content-type')?.startsWith('text/event-stream')
      ? text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
      : JSON.parse(text);
    const byId = new Map(answers.map((answer: { id: string }) => [answer.id, answer]));
    expect(byId.get('one')).toHaveProperty('result.tools');
    expect(byId.get('two')).toHaveProperty('result.content');
    expect(byId.get('three')).toHaveProperty('error.code', -32601);
    expect(byId.size).toBe(3);
  });

  test('of the handshake in a batch opens no session', async () => {
    const { post, http } = await served();
    expect(await answerOf(await post([initialize, list]))).toMatchObject({ status: 400 });
    expect(http.sessionCount).toBe(0);
  });
});

describe('a call', () => {
  test.each([
    ['of an unknown tool', { name: 'none' }, 'Unknown tool: none'],
    ['of a tool named like what objects have', { name: 'constructor' }, 'Unknown tool: constructor'],
    ['of a tool with an empty name', { name: '' }, 'Unknown tool: '],
  ])('%s is -32602, in both eras', async (_what, params, message) => {
    const { post, session } = await served();
    const error = { code: -32602, message };
    expect(await answerOf(await post(callOf(params), await session()))).toMatchObject({ status: 200, id: 1, error });
    const request = modern('tools/call', params);
    expect(await answerOf(await post(request.message, request.headers))).toMatchObject({ id: 1, error });
  });

  test.each([
    ['without a name', {}],
    ['with a name that is none', { name: 7 }],
    ['with arguments that are a list', { name: 'a', arguments: [] }],
    ['with arguments that are null', { name: 'a', arguments: null }],
    ['with arguments that are a text', { name: 'a', arguments: '{}' }],
  ])('%s is -32602', async (_what, params) => {
    const { post, session } = await served();
    expect(await answerOf(await post(callOf(params), await session()))).toMatchObject({
      id: 1,
      error: { code: -32602 },
    });
  });
});

describe('a session', () => {
  test('that is unknown is 404, for every way of asking', async () => {
    const { url, post } = await served();
    const headers = { 'mcp-session-id': 'no-such-session', accept: 'application/json, text/event-stream' };
    expect(await answerOf(await post(list, headers))).toMatchObject({ status: 404, id: 1, error: { code: -32001 } });
    expect(await answerOf(await post(initialize, headers))).toMatchObject({ status: 404, error: { code: -32001 } });
    for (const method of ['GET', 'DELETE']) {
      const answer = await answerOf(await fetch(url, { method, headers }));
      expect(answer, method).toMatchObject({ status: 404, error: { code: -32001 } });
    }
  });

  test('that is missing is 400, or 405 for a stream', async () => {
    const { url, post } = await served();
    expect(await answerOf(await post(list))).toMatchObject({ status: 400, id: 1, error: { code: -32000 } });
    expect(await answerOf(await fetch(url, { method: 'DELETE' }))).toMatchObject({ status: 400 });
    const headers = { accept: 'text/event-stream' };
    const refused = await fetch(url, { headers });
    expect(refused.headers.get('allow')).toBe('POST');
    expect(await answerOf(refused)).toMatchObject({ status: 405 });
  });

  test('is none where the handshake is wrong', async () => {
    const { post, http } = await served();
    const refused = await answerOf(await post({ ...initialize, params: {} }));
    expect(refused).toMatchObject({ error: { code: expect.any(Number) } });
    expect(http.sessionCount).toBe(0);
  });

  test('of a version that nobody knows is given one that both know', async () => {
    const { post } = await served();
    const params = { ...initialize.params, protocolVersion: '1999-01-01' };
    expect(await answerOf(await post({ ...initialize, params }))).toMatchObject({
      result: {
        protocolVersion: '2025-11-25',
        serverInfo: { name: 'luna-test' },
        capabilities: { tools: { listChanged: true } },
      },
    });
  });

  test('does not take a version header that it has not agreed on', async () => {
    const { post, session } = await served();
    const headers = { ...(await session()), 'mcp-protocol-version': '1999-01-01' };
    expect(await answerOf(await post(list, headers))).toMatchObject({
      status: 400,
      error: { code: expect.any(Number) },
    });
  });

  test('wants the client to accept both ways of answering', async () => {
    const { post, session } = await served();
    const headers = { ...(await session()), accept: 'application/json' };
    expect(await answerOf(await post(list, headers))).toMatchObject({ status: 406 });
  });
});

test.each(['PUT', 'PATCH', 'OPTIONS'])('%s is no way to ask', async (method) => {
  const { url } = await served();
  const refused = await fetch(url, { method });
  expect(refused.headers.get('allow')).toBe('POST, GET, DELETE');
  expect(await answerOf(refused)).toMatchObject({ status: 405, error: { code: -32000 } });
});

describe('a request of 2026-07-28', () => {
  const good = modern('tools/call', { name: 'a', arguments: {} });

  test.each([
    ['another method', { 'mcp-method': 'tools/list' }],
    ['no method', { 'mcp-method': undefined }],
    ['another name', { 'mcp-name': 'b' }],
    ['no name', { 'mcp-name': undefined }],
    ['another version', { 'mcp-protocol-version': '2025-11-25' }],
  ])('whose headers say %s is refused with -32020', async (_what, headers) => {
    const { post } = await served();
    const answer = await answerOf(await post(good.message, { ...good.headers, ...headers }));
    expect(answer).toMatchObject({ status: 400, error: { code: -32020 } });
  });

  test('of a version that is not spoken is refused with those that are', async () => {
    const { post } = await served();
    const { message, headers } = modern('tools/list');
    const _meta = { ...message.params._meta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const answer = await answerOf(
      await post({ ...message, params: { _meta } }, { ...headers, 'mcp-protocol-version': '2099-01-01' }),
    );
    expect(answer).toMatchObject({
      status: 400,
      error: { code: -32022, data: { supported: expect.arrayContaining(['2026-07-28']) } },
    });
  });

  test('needs no session and makes none', async () => {
    const { post, http } = await served();
    const answer = await answerOf(await post(good.message, good.headers));
    expect(answer).toMatchObject({ status: 200, result: { resultType: 'complete' } });
    expect(http.sessionCount).toBe(0);
    const { message, headers } = modern('server/discover');
    expect(await answerOf(await post(message, headers))).toMatchObject({
      result: { supportedVersions: ['2026-07-28'], capabilities: { tools: { listChanged: true } } },
    });
  });
});

test('a result that cannot be JSON is an error of that call', async () => {
  const results: Record<string, ToolResult> = {
    bigint: { content: [], structuredContent: { n: 1n } },
    circular: (() => {
      const result: Record<string, unknown> = { content: [] };
      result.self = result;
      return result as ToolResult;
    })(),
  };
  const source = testSource('s', [tool('bigint'), tool('circular')], async (name) => results[name] as ToolResult);
  const hub = await serveHub([source]);
  const session = await hub.session();
  for (const name of Object.keys(results)) {
    expect(await answerOf(await hub.post(callOf({ name }), session))).toMatchObject({ id: 1, error: { code: -32603 } });
    const { message, headers } = modern('tools/call', { name });
    expect(await answerOf(await hub.post(message, headers))).toMatchObject({ id: 1, error: { code: -32603 } });
  }
});
