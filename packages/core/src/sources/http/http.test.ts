import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import type { ToolResult } from '../../tools/index.ts';
import { HttpSource } from './source.ts';

/** What a service was asked. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const signal = new AbortController().signal;

async function serve(
  answer: (asked: Asked, response: ServerResponse) => void = (asked, response) => sendJson(response, asked),
) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: Buffer.concat(chunks).toString('latin1') };
    asked.push(one);
    answer(one, response);
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, server };
}

function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** A source of a file that says this; `more`: files beside it. */
async function sourceOf(content: unknown, more: Record<string, unknown> = {}, allowedHosts: string[] = []) {
  const folder = join(await temporaryFolder(), 'http');
  await mkdir(folder);
  const save = (name: string, value: unknown) =>
    writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  await save('service.yaml', content);
  for (const [name, value] of Object.entries(more)) await save(name, value);
  const source = new HttpSource({
    id: 'service',
    file: join(folder, 'service.yaml'),
    egress: () => ({ allowedHosts, allowPrivateNetwork: false }),
    secrets: async () => ({ TOKEN: 'a-secret', USER: 'ada', PASSWORD: 'pass' }),
  });
  onTestFinished(() => source.close());
  await source.start();
  const call = (name: string, args: Record<string, unknown> = {}) => source.call(name, args, { signal });
  return { source, call, save, folder };
}

const textOf = ({ content }: ToolResult) => content.map((block) => block.text).join('');
const here = { allow_private_network: true, retries: 0 };

describe('a file that declares tools', () => {
  test('is YAML that a person writes; each tool is one request', async () => {
    const { url, asked } = await serve();
    const { source, call } = await sourceOf(`
title: Things
base_url: ${url}/v1
allow_private_network: true
headers:
  Authorization: Bearer \${TOKEN}
tools:
  - name: get_thing
    description: Gets a thing.
    path: /things/{id}
    parameters:
      id: { type: integer, description: Which one. }
      verbose: { type: boolean, required: false }
  - name: find_things
    description: Finds things.
    path: /things
    query: { q: "{text}", limit: "{limit}", fixed: 1 }
    parameters:
      text: { type: string }
      limit: { type: integer, default: 10 }
  - name: add_thing
    description: Adds a thing.
    method: POST
    path: /things
    headers: { X-Source: "by {who}" }
    parameters:
      who: { type: string }
      name: { type: string }
      tags: { type: array, items: { type: string }, default: [] }
  - name: tell
    description: Tells.
    method: PUT
    path: /tell
    body: { json: { message: { text: "say {text}", raw: "{list}" }, constant: true } }
    parameters: { text: { type: string }, list: { type: array } }
  - name: form
    description: Sends a form.
    method: POST
    path: /form
    body: { form: { a: "{a}", b: "{b}" } }
    parameters: { a: { type: string }, b: { type: string, required: false } }
`);
    expect(source.health()).toEqual({ status: 'ready' });
    expect(source.title).toBe('Things');
    expect(source.list().map(({ name, annotations }) => [name, annotations?.readOnlyHint])).toEqual([
      ['get_thing', true],
      ['find_things', true],
      ['add_thing', false],
      ['tell', false],
      ['form', false],
    ]);
    expect(source.list()[0]?.inputSchema).toEqual({
      type: 'object',
      properties: { id: { type: 'integer', description: 'Which one.' }, verbose: { type: 'boolean' } },
      required: ['id'],
      additionalProperties: false,
    });
    expect((await call('get_thing', { id: 7, verbose: true })).structuredContent).toMatchObject({
      method: 'GET',
      url: '/v1/things/7?verbose=true',
      headers: { authorization: 'Bearer a-secret' },
    });
    await call('find_things', { text: 'a & b/ü' });
    await call('add_thing', { who: 'me', name: 'x', tags: ['a'] });
    await call('tell', { text: 'hi', list: [1, { two: 2 }] });
    await call('form', { a: 'x y' });
    expect(
      asked.slice(1).map(({ method, url, body, headers }) => [method, url, headers['content-type'], body]),
    ).toEqual([
      ['GET', '/v1/things?q=a+%26+b%2F%C3%BC&limit=10&fixed=1', undefined, ''],
      ['POST', '/v1/things', 'application/json', '{"name":"x","tags":["a"]}'],
      ['PUT', '/v1/tell', 'application/json', '{"message":{"text":"say hi","raw":[1,{"two":2}]},"constant":true}'],
      ['POST', '/v1/form', 'application/x-www-form-urlencoded', 'a=x+y'],
    ]);
    expect(asked[2]?.headers['x-source']).toBe('by me');
    await expect(call('get_thing', {})).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(call('get_thing', { id: 'x' })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test.each(['..', '.', ''])('an argument cannot lead along the path: %j', async (id) => {
    const { url } = await serve();
    const tools = [{ name: 'get', description: 'Gets.', path: '/a/{id}/b', parameters: { id: { type: 'string' } } }];
    const { call } = await sourceOf({ base_url: url, ...here, tools });
    await expect(call('get', { id })).rejects.toMatchObject({ code: 'invalid_input' });
    expect((await call('get', { id: '../x?y#z' })).structuredContent).toMatchObject({ url: '/a/..%2Fx%3Fy%23z/b' });
  });

  test.each([
    ['base_url: nonsense\ntools: []', /service\.yaml:1:11/],
    ['base_url: http://x.example\ntools:\n  - name: a\n    path: x\n    description: y', /service\.yaml:4:11.*path/],
    ['base_url: http://x.example\ntools:\n  - { name: a, path: /, description: y, mehtod: GET }', /mehtod/],
    ['a: [', /service\.yaml:1:\d+/],
    ['tools: &a [*a, *a]', /./],
    ['', /./],
  ])('%s is refused with its place', async (text, why) => {
    const { source } = await sourceOf(text);
    expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringMatching(why) });
  });

  test('a broken edit leaves the last good version', async () => {
    const { url } = await serve();
    const tools = [{ name: 'get', description: 'Gets.', path: '/' }];
    const { source, call, save } = await sourceOf({ base_url: url, ...here, tools });
    await save('service.yaml', 'tools: [');
    await source.reload();
    expect(source.health()).toMatchObject({ status: 'degraded', reason: expect.stringContaining('service.yaml:1:') });
    expect((await call('get')).isError).not.toBe(true);
  });

  test('a secret that is missing is named, and only secrets that the file names are sent', async () => {
    const { url } = await serve();
    const { call } = await sourceOf({
      base_url: url,
      ...here,
      headers: { 'X-Key': '${MISSING}' },
      tools: [{ name: 'get', description: 'Gets.', path: '/' }],
    });
    await expect(call('get')).rejects.toThrow(/needs the environment key MISSING/);
    const { call: echo } = await sourceOf({
      base_url: url,
      ...here,
      tools: [{ name: 'get', description: 'Gets.', path: '/', parameters: { q: { type: 'string' } } }],
    });
    expect((await echo('get', { q: '$' + '{TOKEN}' })).structuredContent).toMatchObject({ url: '/?q=%24%7BTOKEN%7D' });
  });

  test('what an argument says is never read as the name of a secret', async () => {
    const { url, asked } = await serve();
    const tool = {
      name: 'get',
      description: 'Gets.',
      path: '/',
      query: { q: '{q}', both: '{q} ${USER}' },
      headers: { 'X-Q': '{q}', 'X-Both': '${USER} {q}' },
      parameters: { q: { type: 'string' } },
    };
    const { call } = await sourceOf({
      base_url: url,
      ...here,
      tools: [tool, { ...tool, name: 'set', method: 'POST' }],
    });
    for (const name of ['get', 'set']) await call(name, { q: '${TOKEN}' });
    expect(asked).toHaveLength(2);
    for (const one of asked) {
      expect(JSON.stringify(one)).not.toContain('a-secret');
      expect(one.headers).toMatchObject({ 'x-q': '${TOKEN}', 'x-both': 'ada ${TOKEN}' });
      expect(new URL(one.url, url).searchParams.get('both')).toBe('${TOKEN} ada');
    }
  });

  test('braces around anything but a parameter stay', async () => {
    const { url } = await serve();
    const tool = {
      name: 'ask',
      description: 'Asks.',
      method: 'POST',
      path: '/',
      body: { json: { query: '{viewer{login}} {id}', variables: '{id}' } },
      parameters: { id: { type: 'integer' } },
    };
    const { call } = await sourceOf({ base_url: url, ...here, tools: [tool] });
    const { structuredContent } = await call('ask', { id: 7 });
    expect(structuredContent).toMatchObject({ body: '{"query":"{viewer{login}} 7","variables":7}' });
  });

  test('a path with what is no parameter is told with its place', async () => {
    const tools = [{ name: 'get', description: 'Gets.', path: '/a/{id}' }];
    const { source } = await sourceOf({ base_url: 'http://127.0.0.1:1', ...here, tools });
    expect(source.health().reason).toMatch(/service\.yaml:1:\d+: tools\.0\.path: "id" is none of the parameters/);
  });

  test('an argument that no header can have is refused, and nothing is sent', async () => {
    const { url, asked } = await serve();
    const tool = { name: 'get', description: 'Gets.', path: '/', headers: { 'X-Q': '{q}' }, parameters: { q: {} } };
    const { call } = await sourceOf({ base_url: url, ...here, tools: [tool] });
    await expect(call('get', { q: 'a\r\nX-B: c' })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('invalid x-q header'),
    });
    expect(asked).toEqual([]);
  });
});

describe('an answer', () => {
  const textOnly = (text: string) => ({ content: [{ type: 'text', text }] });
  const toolFor = (path: string, rest: object = {}) => ({ name: 'get', description: 'Gets.', path, ...rest });
  const answering = async (
    answer: (asked: Asked, response: ServerResponse) => void,
    rest: object = {},
    settings: object = {},
  ) => {
    const { url, asked, server } = await serve(answer);
    const { call } = await sourceOf({ base_url: url, ...here, ...settings, tools: [toolFor('/', rest)] });
    return { call: () => call('get'), asked, url, server };
  };

  test.each<[string, string, string | Buffer, unknown]>([
    [
      'JSON',
      'application/json',
      '{"a":1}',
      { content: [{ type: 'text', text: '{"a":1}' }], structuredContent: { a: 1 } },
    ],
    ['a list', 'application/problem+json', '[1]', { content: [{ type: 'text', text: '[1]' }] }],
    [
      'JSON that looks like a result of MCP',
      'application/json',
      '{"content":[{"type":"text","text":"x"}],"isError":true}',
      { structuredContent: { isError: true } },
    ],
    ['text', 'text/plain', 'hello', { content: [{ type: 'text', text: 'hello' }] }],
    [
      'a picture',
      'image/png',
      Buffer.from([1, 2, 3]),
      { content: [{ type: 'image', data: 'AQID', mimeType: 'image/png' }] },
    ],
    [
      'bytes',
      'application/zip',
      Buffer.from([1]),
      { content: [{ type: 'resource', resource: { mimeType: 'application/zip', blob: 'AQ==' } }] },
    ],
    ['text of another encoding', 'text/plain; charset=ISO-8859-1', Buffer.from('gr\xfcn', 'latin1'), textOnly('grün')],
    ['text of an encoding that nobody has', 'text/plain; charset="x-none"', 'grün', textOnly('grün')],
    ['JSON with a mark in front', 'application/json', '\ufeff{"a":1}', { structuredContent: { a: 1 } }],
    [
      'numbers longer than JavaScript has them',
      'application/json',
      '{ "id": 1234567890123456789 }',
      textOnly('{"id":1234567890123456789}'),
    ],
    ['nothing', 'text/plain', '', { content: [{ type: 'text', text: 'HTTP 200, no content.' }] }],
    ['what is no JSON', 'application/json', '<html>', { isError: true }],
  ])('%s', async (_what, type, body, expected) => {
    const { call } = await answering((_asked, response) => response.setHeader('content-type', type).end(body));
    const result = await call();
    expect(result).toMatchObject(expected as object);
    if (_what.startsWith('JSON that')) expect(result.isError).toBeUndefined();
  });

  test('of which a part is picked', async () => {
    const { call } = await answering(
      (_asked, response) => sendJson(response, { data: { items: [{ n: 1 }, { n: 2 }] } }),
      {
        response: { pick: 'data.items.1' },
      },
    );
    expect((await call()).structuredContent).toEqual({ n: 2 });
    const none = await answering((_asked, response) => sendJson(response, {}), { response: { pick: '__proto__.x' } });
    expect((await none.call()).isError).toBe(true);
  });

  test.each([400, 401, 404, 500, 503])('HTTP %i is a failure of the tool, with a short reason', async (status) => {
    const { call } = await answering((_asked, response) => response.writeHead(status).end('x'.repeat(10_000)));
    const result = await call();
    expect([result.isError, textOf(result).startsWith(`HTTP ${status}: xxx`), textOf(result).length < 2_100]).toEqual([
      true,
      true,
      true,
    ]);
    expect(result._meta).toEqual({ 'dev.luna/upstream-status': status });
  });

  test('that is too long is cut off while it comes', async () => {
    let sent = 0;
    const { call } = await answering(
      (_asked, response) => {
        const more = () => {
          while (sent < 100_000_000 && !response.destroyed) {
            sent += 65_536;
            if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more);
          }
          response.end();
        };
        more();
      },
      { max_response_bytes: 1_000_000 },
    );
    await expect(call()).rejects.toMatchObject({ code: 'too_large' });
    expect(sent).toBeLessThan(20_000_000);
  });

  test('that never comes ends at its limit, and one that is withdrawn at once', async () => {
    const { call } = await answering(() => undefined, { timeout_seconds: 0.2 });
    await expect(call()).rejects.toMatchObject({ code: 'timeout' });
    const { url } = await serve(() => undefined);
    const { source } = await sourceOf({ base_url: url, ...here, tools: [toolFor('/')] });
    const controller = new AbortController();
    const outcome = source.call('get', {}, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(outcome).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('is asked for again where that does no harm', async () => {
    let times = 0;
    const flaky = (_asked: Asked, response: ServerResponse) =>
      ++times % 3 === 0 ? sendJson(response, { times }) : response.writeHead(503, { 'retry-after': '0' }).end();
    const reading = await answering(flaky, { retries: 2 });
    expect((await reading.call()).structuredContent).toEqual({ times: 3 });
    const writing = await answering(flaky, { method: 'POST', retries: 2 });
    expect((await writing.call()).isError).toBe(true);
    expect(writing.asked).toHaveLength(1);
  });

  test('of a service that is not there says so, and that nothing was done', async () => {
    const { call, server } = await answering(() => undefined, { method: 'POST' });
    await new Promise((settle) => server.close(settle));
    await expect(call()).rejects.toMatchObject({ code: 'source_unavailable', details: { outcome: 'failed' } });
  });

  test('is used again for as long as its file says', async () => {
    let times = 0;
    const { call, asked } = await answering((_asked, response) => sendJson(response, { times: ++times }), {
      cache_ttl_seconds: 60,
    });
    expect([await call(), await call()].map((result) => result.structuredContent)).toEqual([
      { times: 1 },
      { times: 1 },
    ]);
    expect(asked).toHaveLength(1);
    const never = await answering((_asked, response) => sendJson(response, { times: ++times }));
    await never.call();
    await never.call();
    expect(never.asked).toHaveLength(2);
  });
});

describe('addresses', () => {
  const tools = [{ name: 'get', description: 'Gets.', path: '/' }];

  test('inside the network need leave', async () => {
    const { url } = await serve();
    const { call } = await sourceOf({ base_url: url, tools });
    await expect(call('get')).rejects.toThrow(/127\.0\.0\.1/);
    const allowed = await sourceOf({ base_url: url, tools }, {}, ['127.0.0.1']);
    expect((await allowed.call('get')).isError).not.toBe(true);
  });

  test('that a redirect leads to are judged too, and get no credentials of another', async () => {
    const inner = await serve();
    const { url } = await serve((_asked, response) => response.writeHead(302, { location: inner.url }).end());
    const { call } = await sourceOf({
      base_url: url,
      ...here,
      headers: { Authorization: 'Bearer ${TOKEN}', 'X-Key': 'k' },
      tools,
    });
    const seen = (await call('get')).structuredContent as Asked;
    expect([seen.headers.authorization, seen.headers['x-key']]).toEqual([undefined, undefined]);

    const away = await serve((_asked, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
    );
    const guarded = await sourceOf({ base_url: away.url, ...here, tools });
    await expect(guarded.call('get')).rejects.toThrow(/169\.254\.169\.254/);
  });

  test('that lead in a circle end', async () => {
    const { url } = await serve((_asked, response) => response.writeHead(302, { location: '/' }).end());
    const { call } = await sourceOf({ base_url: url, ...here, tools });
    expect(textOf(await call('get'))).toContain('HTTP 302');
  });
});
