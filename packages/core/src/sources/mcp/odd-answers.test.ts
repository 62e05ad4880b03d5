import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { type RawAnswer, sendResult, startRawServer } from '../../../test/fixtures/raw-http-server.ts';
import { type ToolProgress, ToolRegistry } from '../../tools/index.ts';
import { McpSource } from './source.ts';

const call = (more = {}) => ({ signal: new AbortController().signal, ...more });

async function sourceOf(answer: RawAnswer): Promise<{ source: McpSource; log: string[] }> {
  const log: string[] = [];
  const source = new McpSource({
    id: 'odd',
    target: { kind: 'http', url: await startRawServer(answer) },
    onLog: (line) => log.push(line),
  });
  onTestFinished(() => source.close());
  await source.start();
  expect(source.health()).toEqual({ status: 'ready' });
  return { source, log };
}

/** A source whose server answers calls of tools by hand. */
const withCalls = (answer: RawAnswer) =>
  sourceOf((message, response, request) =>
    message.method === 'tools/call' ? answer(message, response, request) : false,
  );

describe('an answer over HTTP', () => {
  const events = (...lines: string[]): RawAnswer => {
    return (_message, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      response.end(lines.join('\n'));
    };
  };

  test('may come in events, in any pieces, with progress and what is for nobody', async () => {
    const { source } = await withCalls(async ({ id, params }, response) => {
      const token = (params as { _meta: { progressToken: number } })._meta.progressToken;
      const progress = { method: 'notifications/progress', params: { progressToken: token, progress: 1 } };
      const result = { id, result: { content: [{ type: 'text', text: 'häl🌙lo' }], odd: { n: 1e300 } } };
      const text = [
        ': a comment\r\n\r\n',
        'event: ping\ndata: not json\n\n',
        'data:\n\n',
        `event: message\r\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...progress })}\r\n\r\n`,
        `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/unheard/of' })}\n\n`,
        `data: ${JSON.stringify({ jsonrpc: '2.0', id: 4_000_000_000, result: {} })}\n\n`,
        `id: 1\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...result })}\n\n`,
      ].join('');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const byte of Buffer.from(text)) response.write(Buffer.from([byte]));
      response.end();
    });
    const heard: ToolProgress[] = [];
    expect(
      await source.call('odd', {}, call({ onProgress: (progress: ToolProgress) => heard.push(progress) })),
    ).toEqual({
      content: [{ type: 'text', text: 'häl🌙lo' }],
      odd: { n: 1e300 },
    });
    expect(heard).toEqual([{ progress: 1 }]);
  });

  test.each<[string, RawAnswer, string, string]>([
    [
      'HTML',
      (_m, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'),
      'upstream_error',
      'HTTP 502: <h1>Bad gateway',
    ],
    ['no body', (_m, response) => void response.writeHead(500).end(), 'upstream_error', 'HTTP 500: (no body)'],
    ['"accepted"', (_m, response) => void response.writeHead(202).end(), 'upstream_error', 'HTTP 202'],
    [
      '"not authorized"',
      (_m, response) => void response.writeHead(401).end('who?'),
      'upstream_error',
      'HTTP 401: who?',
    ],
    [
      '"too many"',
      (_m, response) => void response.writeHead(429, { 'retry-after': '9' }).end(),
      'upstream_error',
      'HTTP 429',
    ],
    [
      'JSON that is cut',
      (_m, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":'),
      'upstream_error',
      'JSON',
    ],
    [
      'JSON that is no answer',
      (_m, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('[1]'),
      'upstream_error',
      'HTTP 200: [1]',
    ],
    [
      'null',
      (_m, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('null'),
      'upstream_error',
      'HTTP 200: null',
    ],
    [
      'the answer to another request',
      (_m, response) => sendResult(response, { id: 7 }, {}),
      'source_unavailable',
      'without a response',
    ],
    ['a stream without an answer', events(': nothing', ''), 'source_unavailable', 'without a response'],
    ['an event that is no JSON', events('data: {oh', '', ''), 'upstream_error', 'JSON'],
    [
      'half of what it promised',
      (_m, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
        response.write('{', () => response.destroy());
      },
      'source_unavailable',
      'The connection to http://127.0.0.1:',
    ],
    [
      'nothing, closing the connection',
      (_m, response) => void response.destroy(),
      'source_unavailable',
      'The connection to http://127.0.0.1:',
    ],
  ])('with %s is an error of that call, and of no other', async (_what, answer, code, words) => {
    const held = Promise.withResolvers<() => void>();
    const { source } = await withCalls((message, response, request) => {
      const kind = message.params?.arguments?.kind;
      if (kind === 'good') return sendResult(response, message, { content: [] });
      if (kind === 'held')
        return held.resolve(() => sendResult(response, message, { content: [{ type: 'text', text: 'held' }] }));
      return answer(message, response, request);
    });
    const under_way = source.call('odd', { kind: 'held' }, call());
    const release = await held.promise;
    const states: string[] = [];
    source.onChange(() => states.push(source.health().status));
    for (let time = 0; time < 3; time++) {
      await expect(source.call('odd', {}, call())).rejects.toMatchObject({
        code,
        message: expect.stringContaining(words),
      });
      expect(await source.call('odd', { kind: 'good' }, call())).toEqual({ content: [] });
    }
    release();
    expect(await under_way).toEqual({ content: [{ type: 'text', text: 'held' }] });
    expect(states).toEqual([]);
  });

  test('with an error of JSON-RPC counts, whatever the status', async () => {
    const error = { code: -32099, message: 'not today', data: { retry: true } };
    const { source } = await withCalls((message, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
    });
    await expect(source.call('odd', {}, call())).rejects.toMatchObject({
      message: 'not today',
      details: { rpc: error },
    });
  });

  const json = (text: string, type = 'application/json'): RawAnswer => {
    return ({ id }, response) => {
      response.writeHead(200, { 'content-type': type }).end(text.replaceAll('ID', String(id)));
    };
  };
  const done = '{"jsonrpc":"2.0","id":ID,"result":{"content":[]}}';
  const note = '{"jsonrpc":"2.0","method":"notifications/unheard/of"}';

  test.each<[string, RawAnswer]>([
    ['with a type in capitals', json(done, 'Application/JSON; Charset=UTF-8')],
    ['as a batch', json(`[${note},${done}]`)],
    ['as a batch in an event', json(`data: [${note},${done}]\n\n`, 'Text/Event-Stream')],
    ['under its id as a text', json(done.replace('ID', '"ID"'))],
    ['with an error of null', json(done.replace('}}', '},"error":null}'))],
  ])('may come %s', async (_what, answer) => {
    const { source } = await withCalls(answer);
    expect(await source.call('odd', {}, call())).toEqual({ content: [] });
  });

  test('is asked for without compression', async () => {
    const asked: unknown[] = [];
    const { source } = await withCalls((message, response, { headers }) => {
      asked.push(headers['accept-encoding']);
      return sendResult(response, message, { content: [] });
    });
    await source.call('odd', {}, call());
    expect(asked).toEqual(['identity']);
  });

  test('of null is an empty one', async () => {
    const { source } = await withCalls(json('{"jsonrpc":"2.0","id":ID,"result":null}'));
    expect(await source.call('odd', {}, call())).toEqual({});
  });

  test.each<[string, RawAnswer, string]>([
    ['to nobody', json('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Who asks?"}}'), 'Who asks?'],
    ['without an id', json('{"jsonrpc":"2.0","error":{"code":-32600,"message":"Who asks?"}}'), 'Who asks?'],
    ['that is a text', json('{"jsonrpc":"2.0","id":ID,"error":"No."}'), 'No.'],
    ['that says nothing', json('{"jsonrpc":"2.0","id":ID,"error":{"code":-32603}}'), 'does not say which'],
    ['of null', json('{"jsonrpc":"2.0","id":ID,"error":null}'), 'does not say which'],
    ['of a result that is none', json('{"jsonrpc":"2.0","id":ID,"result":7}'), 'no result'],
  ])('may be an error %s', async (_what, answer, words) => {
    const { source } = await withCalls(answer);
    await expect(source.call('odd', {}, call())).rejects.toMatchObject({
      code: 'upstream_error',
      message: expect.stringContaining(words),
    });
  });

  test('that asks for a new address is followed there, with the body and the headers', async () => {
    const seen: unknown[] = [];
    const { source } = await withCalls((message, response, request) => {
      if (request.url === '/mcp') return response.writeHead(307, { location: '/mcp/' }).end();
      seen.push(request.headers['content-type'], message.params?.arguments);
      return sendResult(response, message, { content: [] });
    });
    expect(await source.call('odd', { a: 1 }, call())).toEqual({ content: [] });
    expect(seen).toEqual(['application/json', { a: 1 }]);
  });
});

describe('a list', () => {
  test('loses what has no name; tools that no client could read are held back, each with its fault', async () => {
    const good = { name: 'good', inputSchema: { type: 'object', 'x-odd': [1] }, 'x-unknown': { a: null } };
    const tools = [
      good,
      null,
      7,
      {},
      { name: '', inputSchema: { type: 'object' } },
      { name: 7, inputSchema: { type: 'object' } },
      { name: 'no_schema' },
      { name: 'text_for_schema', inputSchema: 'object' },
      { name: 'list_for_schema', inputSchema: { type: 'array' } },
      { name: 'number_for_words', inputSchema: { type: 'object' }, description: 7 },
    ];
    const { source } = await sourceOf((message, response) =>
      message.method === 'tools/list' ? sendResult(response, message, { tools }) : false,
    );
    const registry = new ToolRegistry();
    registry.add(source);
    expect([...registry.tools().values()].map(({ tool }) => tool)).toEqual([good]);
    expect([...registry.heldBack().keys()]).toEqual([
      'no_schema',
      'text_for_schema',
      'list_for_schema',
      'number_for_words',
    ]);
  });

  test('of many pages is read whole, and ends where its cursors go in circles', async () => {
    let asked = 0;
    const { source } = await sourceOf((message, response) => {
      if (message.method !== 'tools/list') return false;
      asked++;
      const page = Number(message.params?.cursor ?? 0);
      const tools = [{ name: `tool_${page}`, inputSchema: { type: 'object' } }];
      return sendResult(response, message, { tools, nextCursor: String((page + 1) % 3 || 1) });
    });
    expect(source.list().map(({ name }) => name)).toEqual(['tool_0', 'tool_1', 'tool_2']);
    expect(asked).toBe(3);
  });

  test.each([
    ['an empty cursor that leads to the same page', ''],
    ['a cursor that leads to the same page', 'again'],
  ])('with %s has each tool once', async (_what, nextCursor) => {
    const { source, log } = await sourceOf((message, response) => {
      const tools = ['one', 'two'].map((name) => ({ name, inputSchema: { type: 'object' } }));
      return message.method === 'tools/list' && sendResult(response, message, { tools, nextCursor });
    });
    expect(source.list().map(({ name }) => name)).toEqual(['one', 'two']);
    expect(log).toEqual([expect.stringContaining('2 of 4 tools are left out')]);
  });

  test('of resources or prompts has what clients can read, and nothing that would cost them all of it', async () => {
    const lists: Record<string, unknown[]> = {
      resources: [
        { uri: 'x://null', name: 'null', mimeType: null, size: null, 'x-own': null },
        { uri: 'x://nameless' },
        { uri: 'x://sound', name: 'sound', 'x-own': { a: 1 } },
        { uri: 'x://sound', name: 'once more' },
      ],
      prompts: [
        { name: 'null', arguments: null },
        { name: 'deep', arguments: [{ name: 'a', required: null }] },
        { name: 'broken', arguments: 'none' },
      ],
    };
    const { source, log } = await sourceOf((message, response) => {
      const { method = '' } = message;
      if (method === 'initialize')
        return sendResult(response, message, {
          protocolVersion: '2025-11-25',
          capabilities: { resources: {}, prompts: {} },
          serverInfo: { name: 'raw', version: '1' },
        });
      const kind = method.split('/')[0] ?? '';
      return method === `${kind}/list` && lists[kind] && sendResult(response, message, { [kind]: lists[kind] });
    });
    expect(source.peer.list('resources')).toEqual([
      { uri: 'x://null', name: 'null', 'x-own': null },
      { uri: 'x://sound', name: 'sound', 'x-own': { a: 1 } },
    ]);
    expect(source.peer.list('prompts')).toEqual([{ name: 'null' }, { name: 'deep', arguments: [{ name: 'a' }] }]);
    expect(log).toEqual([
      expect.stringContaining('"x://nameless" is left out of its resources: name:'),
      expect.stringContaining('"broken" is left out of its prompts: arguments:'),
    ]);
  });

  test('that is none is empty', async () => {
    const { source } = await sourceOf((message, response) =>
      message.method === 'tools/list' ? sendResult(response, message, { tools: 'none' }) : false,
    );
    expect(source.list()).toEqual([]);
  });
});

describe('a server that cannot be reached', () => {
  test.each<[string, RawAnswer, string]>([
    ['refuses the key', (_m, response) => void response.writeHead(401).end('no'), 'Check the headers that it needs.'],
    [
      'is no MCP server',
      (_m, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      'Cannot connect to http://127.0.0.1:',
    ],
    ['fails', (_m, response) => void response.writeHead(500).end('oh'), 'Cannot connect to http://127.0.0.1:'],
  ])('because it %s says so, and is tried again', async (_what, answer, words) => {
    const url = await startRawServer(answer);
    const source = new McpSource({ id: 'a', target: { kind: 'http-or-sse', url: new URL(`${url.href}?key=secret`) } });
    onTestFinished(() => source.close());
    await source.start();
    expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining(words) });
    expect(source.health().retryAt).toBeGreaterThan(0);
    // Keys stand in addresses too.
    expect(source.health().reason).not.toContain('secret');
  });

  test('names the secret that is missing, and connects once it is there', async () => {
    let secrets: Record<string, string> = {};
    const url = await startRawServer((_message, _response, request) => {
      expect(request.headers.authorization).toBe('Bearer now-there');
      return false;
    });
    const source = new McpSource({
      id: 'a',
      target: { kind: 'http', url, headers: { authorization: 'Bearer ${TOKEN}' } },
      secrets: async () => secrets,
      restart: { delaysMs: [20], resetAfterMs: 60_000 },
    });
    onTestFinished(() => source.close());
    await source.start();
    expect(source.health()).toMatchObject({
      status: 'down',
      reason: 'The server "a" needs the environment key TOKEN. Set it in the .env file of the home.',
    });
    secrets = { TOKEN: 'now-there' };
    await eventually(() => source.health()).toEqual({ status: 'ready' });
  });
});

test('a server that never answers to the end of its session keeps nobody from closing', async () => {
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    sockets.add(request.socket);
    if (request.method === 'DELETE') return;
    if (request.method !== 'POST') return response.writeHead(405).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString());
    if (id === undefined) return response.writeHead(202).end();
    const initialized = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'deaf', version: '1' } };
    const answer = method === 'initialize' ? { result: initialized } : { error: { code: -32601, message: 'no' } };
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'a-session' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  const source = new McpSource({ id: 'deaf', target: { kind: 'http', url } });
  await source.start();
  expect(source.health()).toEqual({ status: 'ready' });
  await source.close();
  expect(source.health()).toMatchObject({ status: 'stopped' });
});

test('a test of a server that lets one wait ends at the limit of probes, whatever the limit of connecting', async () => {
  const asked = Promise.withResolvers<void>();
  const url = await startRawServer(() => asked.resolve());
  const source = new McpSource({ id: 'slow', target: { kind: 'http', url } });
  onTestFinished(() => source.close());
  void source.start();
  await asked.promise;
  await expect(source.test()).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('10 seconds'),
  });
});
