import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import { argumentCheck } from '../../tools/index.ts';
import { HttpSource } from './source.ts';

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A service that answers with what it was asked, or with a document at /openapi.json. */
async function serve(document?: object): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    const body = Buffer.concat(chunks).toString('latin1');
    const answer = url === '/openapi.json' ? document : { method, url, headers, body };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function sourceOf(document: unknown, settings: object = {}, more: Record<string, string> = {}) {
  const url = await serve();
  const folder = join(await temporaryFolder(), 'http');
  await mkdir(folder);
  await writeFile(join(folder, 'api.openapi.yaml'), typeof document === 'string' ? document : JSON.stringify(document));
  for (const [name, text] of Object.entries(more)) await writeFile(join(folder, name), text);
  const file = { openapi: 'api.openapi.yaml', base_url: url, allow_private_network: true, ...settings };
  await writeFile(join(folder, 'api.yaml'), JSON.stringify(file));
  const source = new HttpSource({
    id: 'api',
    file: join(folder, 'api.yaml'),
    egress: () => ({ allowedHosts: [], allowPrivateNetwork: false }),
    secrets: async () => ({ TOKEN: 'a-secret' }),
  });
  onTestFinished(() => source.close());
  await source.start();
  const signal = new AbortController().signal;
  const ask = async (name: string, args: Record<string, unknown> = {}) =>
    (await source.call(name, args, { signal })).structuredContent as Echo;
  const schemaOf = (name: string) => source.list().find((tool) => tool.name === name)?.inputSchema;
  return { source, ask, schemaOf, url };
}

const documentOf = (paths: object, rest: object = {}) => ({
  openapi: '3.1.0',
  info: { title: 'x', version: '1' },
  paths,
  ...rest,
});
/** One GET with this parameter. */
const withParameter = (parameter: object, path = '/x') =>
  documentOf({ [path]: { get: { operationId: 'get', parameters: [parameter] } } });

describe('parameters are written as their style says', () => {
  const list = ['a', 'b c'];
  const object = { r: 1, g: 'x' };
  test.each<[object, unknown, string]>([
    [{ in: 'query' }, list, '/x?p=a&p=b%20c'],
    [{ in: 'query', explode: false }, list, '/x?p=a%2Cb%20c'],
    [{ in: 'query', style: 'spaceDelimited', explode: false }, list, '/x?p=a%20b%20c'],
    [{ in: 'query', style: 'pipeDelimited', explode: false }, list, '/x?p=a%7Cb%20c'],
    [
      { in: 'query', style: 'deepObject', explode: true },
      { r: 1, inner: { g: 2 } },
      '/x?p%5Br%5D=1&p%5Binner%5D%5Bg%5D=2',
    ],
    [{ in: 'query' }, object, '/x?r=1&g=x'],
    [{ in: 'query', explode: false }, object, '/x?p=r%2C1%2Cg%2Cx'],
    [{ in: 'query', allowReserved: true }, 'a/b?c', '/x?p=a/b?c'],
    [{ in: 'query' }, 'a/b?c&d', '/x?p=a%2Fb%3Fc%26d'],
    [{ in: 'query', content: { 'application/json': { schema: {} } } }, { a: [1] }, '/x?p=%7B%22a%22%3A%5B1%5D%7D'],
    [{ in: 'query' }, false, '/x?p=false'],
  ])('%j with %j', async (parameter, value, url) => {
    const { ask } = await sourceOf(withParameter({ name: 'p', schema: {}, ...parameter }));
    expect((await ask('get', { p: value })).url).toBe(url);
  });

  test.each<[object, unknown, string]>([
    [{}, 'a/b', '/x/a%2Fb/y'],
    [{}, list, '/x/a,b%20c/y'],
    [{ explode: true }, object, '/x/r=1,g=x/y'],
    [{ style: 'label' }, list, '/x/.a,b%20c/y'],
    [{ style: 'matrix', explode: true }, list, '/x/;p=a;p=b%20c/y'],
    [{ style: 'matrix' }, 7, '/x/;p=7/y'],
  ])('in the path: %j with %j', async (parameter, value, url) => {
    const { ask } = await sourceOf(
      withParameter({ name: 'p', in: 'path', required: true, schema: {}, ...parameter }, '/x/{p}/y'),
    );
    expect((await ask('get', { p: value })).url).toBe(url);
  });

  test('in headers and cookies; what no header can hold is refused', async () => {
    const parameters = [
      { name: 'X-One', in: 'header', schema: { type: 'array' } },
      { name: 'session', in: 'cookie', schema: { type: 'string' } },
      { name: 'Authorization', in: 'header', schema: { type: 'string' } },
    ];
    const { ask, schemaOf } = await sourceOf(documentOf({ '/x': { get: { operationId: 'get', parameters } } }));
    expect(Object.keys(schemaOf('get')?.properties as object)).toEqual(['X-One', 'session']);
    const { headers } = await ask('get', { 'X-One': ['a', 'b'], session: 'x y' });
    expect([headers['x-one'], headers.cookie]).toEqual(['a,b', 'session=x%20y']);
    await expect(ask('get', { 'X-One': ['a\r\nX-Evil: 1'] })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test('of one name in several places are several arguments; those of the operation win', async () => {
    const { ask, schemaOf } = await sourceOf(
      documentOf({
        '/x/{id}': {
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
            { name: 'q', in: 'query', schema: { type: 'integer' } },
          ],
          get: {
            operationId: 'get',
            parameters: [
              { name: 'id', in: 'query', schema: { type: 'string' } },
              { name: 'q', in: 'query', schema: { type: 'string' } },
            ],
          },
        },
      }),
    );
    expect(schemaOf('get')).toMatchObject({
      properties: { id: { type: 'integer' }, id_query: { type: 'string' }, q: { type: 'string' } },
      required: ['id'],
    });
    expect((await ask('get', { id: 1, id_query: 'two' })).url).toBe('/x/1?id=two');
  });
});

describe('bodies', () => {
  const withBody = (content: object, required = true) =>
    documentOf({ '/x': { post: { operationId: 'send', requestBody: { required, content } } } });

  test.each<[string, object, unknown, string, RegExp | string]>([
    ['JSON', { 'application/json': { schema: { type: 'object' } } }, { a: 1 }, 'application/json', '{"a":1}'],
    [
      'JSON of another name, before a form',
      { 'application/x-www-form-urlencoded': {}, 'application/vnd.x+json': {} },
      [1],
      'application/vnd.x+json',
      '[1]',
    ],
    [
      'a form',
      { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } },
      { a: 'x y', b: [1, 2], c: { d: 3 } },
      'application/x-www-form-urlencoded',
      'a=x+y&b=1&b=2&c%5Bd%5D=3',
    ],
    ['text', { 'text/plain': {} }, 'hello', 'text/plain', 'hello'],
    ['bytes', { 'application/octet-stream': {} }, 'aGVsbG8=', 'application/octet-stream', 'hello'],
    [
      'parts with a file',
      {
        'multipart/form-data': {
          schema: {
            type: 'object',
            properties: { file: { type: 'string', format: 'binary' }, note: { type: 'string' } },
          },
        },
      },
      { file: 'aGVsbG8=', note: 'x' },
      'multipart/form-data',
      /name="file"; filename="file"\r\nContent-Type: application\/octet-stream\r\n\r\nhello\r\n.*name="note"\r\n\r\nx\r\n/s,
    ],
  ])('%s', async (_what, content, body, type, sent) => {
    const { ask } = await sourceOf(withBody(content));
    const echo = await ask('send', { body });
    expect(echo.headers['content-type']).toContain(type);
    if (typeof sent === 'string') expect(echo.body).toBe(sent);
    else expect(echo.body).toMatch(sent);
    await expect(ask('send', {})).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test('with files, wherever the document says that they are', async () => {
    const file = { type: 'string', format: 'binary' };
    const Upload = {
      type: 'object',
      properties: {
        one: { $ref: '#/components/schemas/File' },
        many: { type: 'array', items: file },
        maybe: { anyOf: [{ type: 'string', contentMediaType: 'application/octet-stream' }, { type: 'null' }] },
        note: { type: 'string' },
      },
    };
    const { ask, schemaOf } = await sourceOf({
      ...withBody({ 'multipart/form-data': { schema: { $ref: '#/components/schemas/Upload' } } }),
      components: { schemas: { Upload, File: file } },
    });
    expect(JSON.stringify(schemaOf('send'))).toContain('Files, each in base64.');
    const { body } = await ask('send', {
      body: { one: 'aGVsbG8=', many: ['YQ==', 'Yg=='], maybe: 'Yw==', note: 'YQ==' },
    });
    const parts = body.split('\r\n').filter((line) => line !== '' && !line.includes(':') && !line.startsWith('--'));
    expect(parts).toEqual(['hello', 'a', 'b', 'c', 'YQ==']);
    await expect(ask('send', { body: { one: 'no base64!' } })).rejects.toThrow('"one" is not in base64.');
  });

  test('that are optional can be left out', async () => {
    const { ask } = await sourceOf(withBody({ 'application/json': {} }, false));
    expect((await ask('send')).body).toBe('');
  });
});

describe('schemas', () => {
  test('of 3.0 become those of today; circles stay; what only the server sets is not asked for', async () => {
    const document = {
      ...documentOf(
        {
          '/x': {
            post: {
              operationId: 'send',
              requestBody: {
                required: true,
                content: { 'application/json': { schema: { $ref: '#/components/schemas/Node' } } },
              },
            },
          },
        },
        {
          components: {
            schemas: {
              Node: {
                type: 'object',
                required: ['id', 'name'],
                properties: {
                  id: { type: 'integer', readOnly: true },
                  name: { type: 'string', nullable: true, example: 'x' },
                  kind: { type: 'string', nullable: true, enum: ['a', 'b'] },
                  age: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
                  parent: { $ref: '#/components/schemas/Node' },
                  'other/one': { $ref: '#/components/schemas/a~1b' },
                },
                discriminator: { propertyName: 'kind' },
              },
              'a/b': { type: 'array', items: { $ref: '#/components/schemas/Node' } },
            },
          },
        },
      ),
      openapi: '3.0.3',
    };
    const { schemaOf, ask } = await sourceOf(document);
    const schema = schemaOf('send');
    expect(schema).toEqual({
      type: 'object',
      properties: { body: { $ref: '#/$defs/Node' } },
      required: ['body'],
      additionalProperties: false,
      $defs: {
        Node: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: ['string', 'null'], examples: ['x'] },
            kind: { type: ['string', 'null'], enum: ['a', 'b', null] },
            age: { type: 'number', exclusiveMinimum: 0, maximum: 9 },
            parent: { $ref: '#/$defs/Node' },
            'other/one': { $ref: '#/$defs/a_1b' },
          },
        },
        a_1b: { type: 'array', items: { $ref: '#/$defs/Node' } },
      },
    });
    expect(JSON.parse((await ask('send', { body: { name: null, parent: { name: 'p' } } })).body)).toEqual({
      name: null,
      parent: { name: 'p' },
    });
    await expect(ask('send', { body: { name: 7 } })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test('with patterns that could take for ever are shown without them', async () => {
    const { schemaOf } = await sourceOf(
      withParameter({ name: 'p', in: 'query', schema: { type: 'string', pattern: '^(a+)+$' } }),
    );
    expect(schemaOf('get')?.properties).toEqual({ p: { type: 'string' } });
  });

  test('of every tool can be used to check arguments', async () => {
    const { source } = await sourceOf(
      withParameter({ name: 'p', in: 'query', schema: { $ref: '#/components/schemas/none' } }),
    );
    expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining('leads nowhere') });
    const sound = await sourceOf(withParameter({ name: 'p', in: 'query', schema: { type: 'string', format: 'odd' } }));
    for (const tool of sound.source.list()) expect(() => argumentCheck(tool.inputSchema)({})).not.toThrow();
  });
});

describe('operations', () => {
  const document = documentOf(
    {
      '/pets': { get: { operationId: 'listPets', tags: ['pets'], summary: 'All pets' }, post: { tags: ['pets'] } },
      '/pets/{petId}': {
        get: {
          operationId: 'pets/get one!',
          deprecated: true,
          parameters: [{ $ref: '#/components/parameters/petId' }],
        },
        trace: {},
      },
      '/owners': { get: { operationId: 'listPets' } },
    },
    {
      components: { parameters: { petId: { name: 'petId', in: 'path', required: true, schema: { type: 'string' } } } },
    },
  );

  test('have names that are legal, unique, and always the same', async () => {
    const { source, ask } = await sourceOf(document);
    const names = source.list().map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(['listPets', 'post_pets', 'pets_get_one']);
    expect(names[3]).toMatch(/^listPets_[0-9a-f]{8}$/);
    expect((await sourceOf(document)).source.list().map(({ name }) => name)).toEqual(names);
    expect(source.list()[2]?.description).toContain('Deprecated.');
    expect((await ask('pets_get_one', { petId: '7' })).url).toBe('/pets/7');
  });

  test.each<[object, string[]]>([
    [{ include: ['tag:pets'] }, ['listPets', 'post_pets']],
    [{ include: ['GET *'], exclude: ['/owners'] }, ['listPets', 'pets_get_one']],
    [{ include: ['listPets'] }, ['listPets', expect.stringMatching(/^listPets_/) as unknown as string]],
    [{ exclude: ['*pets*', 'tag:*'] }, [expect.any(String) as unknown as string]],
  ])('are chosen: %j', async (selection, expected) => {
    const { source } = await sourceOf(document, selection);
    if (expected.length === 1 && typeof expected[0] !== 'string') expect(source.list().length).toBeLessThan(4);
    else expect(source.list().map(({ name }) => name)).toEqual(expected);
  });

  test('none chosen is said', async () => {
    const { source } = await sourceOf(document, { include: ['nothing'] });
    expect(source.health().reason).toContain('no operation');
  });
});

describe('credentials', () => {
  const securitySchemes = {
    key: { type: 'apiKey', in: 'header', name: 'X-Key' },
    query: { type: 'apiKey', in: 'query', name: 'key' },
    cookie: { type: 'apiKey', in: 'cookie', name: 'sid' },
    basic: { type: 'http', scheme: 'basic' },
    bearer: { type: 'http', scheme: 'bearer' },
    oauth: { type: 'oauth2', flows: {} },
  };
  const secured = (security: object[]) =>
    documentOf({ '/x': { get: { operationId: 'get' } } }, { security, components: { securitySchemes } });

  test.each<[string, object]>([
    ['key', { headers: { 'x-key': 'a-secret' } }],
    ['query', { url: '/x?key=a-secret' }],
    ['cookie', { headers: { cookie: 'sid=a-secret' } }],
    ['basic', { headers: { authorization: `Basic ${Buffer.from('a-secret').toString('base64')}` } }],
    ['bearer', { headers: { authorization: 'Bearer a-secret' } }],
    ['oauth', { headers: { authorization: 'Bearer a-secret' } }],
  ])('%s', async (scheme, expected) => {
    const { ask } = await sourceOf(secured([{ [scheme]: [] }]), { auth: { [scheme]: '${TOKEN}' } });
    expect(await ask('get')).toMatchObject(expected);
  });

  test('of several alternatives the one that is set; none is said by name', async () => {
    const { ask } = await sourceOf(secured([{ key: [], basic: [] }, { bearer: [] }]), {
      auth: { bearer: 'x', key: 'y' },
    });
    expect((await ask('get')).headers).toMatchObject({ authorization: 'Bearer x' });
    const none = await sourceOf(secured([{ key: [], basic: [] }, { bearer: [] }]));
    await expect(none.ask('get')).rejects.toThrow(/key and basic, or bearer/);
    const optional = await sourceOf(secured([{ key: [] }, {}]));
    expect((await optional.ask('get')).headers['x-key']).toBeUndefined();
  });
});

describe('a document', () => {
  test('is YAML too, in several files, of which none lies elsewhere', async () => {
    const main = `
openapi: 3.1.0
paths:
  /x:
    post:
      operationId: send
      requestBody:
        content: { application/json: { schema: { $ref: "models.yaml#/Thing" } } }
`;
    const { schemaOf } = await sourceOf(
      main,
      {},
      { 'models.yaml': 'Thing:\n  type: object\n  properties: { a: { type: string } }\n' },
    );
    expect(JSON.stringify(schemaOf('send'))).toContain('"a":{"type":"string"}');
    const away = await sourceOf(main.replace('models.yaml', 'https://evil.example/models.yaml'));
    expect(away.source.health()).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('leads out of the document'),
    });
  });

  test('comes from an address, which is its server where it says no other', async () => {
    const url = await serve(
      documentOf(
        { '/here': { get: { operationId: 'get' } } },
        { servers: [{ url: '/v{n}', variables: { n: { default: '2' } } }] },
      ),
    );
    const { ask } = await sourceOf('unused', { openapi: `${url}/openapi.json`, base_url: undefined });
    expect((await ask('get')).url).toBe('/v2/here');
  });

  test('may forget parameters of its paths', async () => {
    const { ask, schemaOf } = await sourceOf(documentOf({ '/a/{id}': { get: { operationId: 'get' } } }));
    expect(schemaOf('get')).toMatchObject({ properties: { id: { type: 'string' } }, required: ['id'] });
    expect((await ask('get', { id: 'x/y' })).url).toBe('/a/x%2Fy');
  });

  test('beside its file may name other servers for single operations', async () => {
    const url = await serve();
    const at = (operationId: string, server: string) => ({ get: { operationId, servers: [{ url: server }] } });
    const paths = { '/a': at('relative', '/other'), '/b': at('whole', `${url}/whole`) };
    const document = documentOf(paths, { servers: [{ url: `${url}/main` }] });
    const { ask } = await sourceOf(document, { base_url: undefined });
    expect((await ask('relative')).url).toBe('/other/a');
    expect((await ask('whole')).url).toBe('/whole/b');
  });

  test.each<[string, unknown, RegExp]>([
    ['Swagger 2', { swagger: '2.0', paths: {} }, /Swagger 2\.0; Luna reads OpenAPI 3/],
    ['another version', { openapi: '4.0.0', paths: {} }, /4\.0\.0 is not known/],
    ['no document', 'just text', /cannot be used/],
    ['broken text', '{"openapi": ', /neither JSON nor YAML/],
    ['circles of references', documentOf({ '/x': { $ref: '#/paths/~1x' } }), /leads in a circle/],
  ])('%s is refused', async (_what, document, why) => {
    const { source } = await sourceOf(document);
    expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringMatching(why) });
  });

  test('that is not there is named', async () => {
    const { source } = await sourceOf(documentOf({}), { openapi: 'missing.yaml' });
    expect(source.health().reason).toContain('missing.yaml');
  });
});
