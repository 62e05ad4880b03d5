import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { type HttpKind, startFeatureServer } from '../../../test/fixtures/feature-http-server.ts';
import type { ToolProgress, ToolResult } from '../../tools/index.ts';
import { McpSource } from './source.ts';
import type { McpSourceOptions } from './source-options.ts';

/** Real servers of both lines of the SDK, each over each way that it offers. */
const stdioKinds = ['v1', 'v2 2025', 'v2 2026'] as const;
const httpKinds = ['v1 streamable', 'v1 sse', 'v2 streamable 2025', 'v2 streamable 2026'] as const;
const stdioServer = fileURLToPath(new URL('../../../test/fixtures/feature-stdio-server.ts', import.meta.url));

const stdioTarget = (kind: string, env = {}) =>
  ({ kind: 'stdio', command: process.execPath, args: [stdioServer, kind], env }) as const;

async function started(options: Partial<McpSourceOptions> & Pick<McpSourceOptions, 'target'>): Promise<McpSource> {
  const source = new McpSource({ id: 'server', restart: { delaysMs: [0, 100], resetAfterMs: 60_000 }, ...options });
  onTestFinished(() => source.close());
  await source.start();
  return source;
}

async function sourceOf(kind: string): Promise<McpSource> {
  if (stdioKinds.some((known) => known === kind)) return started({ target: stdioTarget(kind) });
  const server = await startFeatureServer(kind as HttpKind);
  onTestFinished(() => server.close());
  return started({ target: { kind: 'http-or-sse', url: server.url } });
}

const call = (more = {}) => ({ signal: new AbortController().signal, ...more });
const textOf = (result: ToolResult) => String(result.content[0]?.text);
const told = async (source: McpSource) => JSON.parse(textOf(await source.call('tell', {}, call())));
const isReady = (source: McpSource) => eventually(() => source.health().status).toBe('ready');

describe.each([...stdioKinds, ...httpKinds])('a server (%s)', (kind) => {
  test('is listed and called, with what it sends beside the text', async () => {
    const source = await sourceOf(kind);
    expect(source.health().status).toBe('ready');
    expect(source.agreement).toEqual({
      protocolVersion: kind.endsWith('2026') ? '2026-07-28' : '2025-11-25',
      transport: kind.includes('stream') ? 'http' : kind.endsWith('sse') ? 'sse' : 'stdio',
      server: { name: 'features', version: '1.0.0' },
    });
    expect(source.list()[0]).toEqual({
      name: 'echo',
      title: 'Echo',
      inputSchema: { type: 'object' },
      annotations: { readOnlyHint: true },
      _meta: { 'x/y': [1] },
    });
    const args = { text: 'häl"\u2028lo 🌙', nested: { list: [1, null, 1e21] } };
    const result = await source.call('echo', args, call());
    expect(result).toMatchObject({
      content: [{ type: 'text', text: args.text }],
      structuredContent: { args },
      _meta: { 'x/y': 'z' },
    });
    expect(result).not.toHaveProperty('resultType');
  });

  test('tells of progress, in order', async () => {
    const source = await sourceOf(kind);
    const heard: ToolProgress[] = [];
    const result = await source.call(
      'steps',
      {},
      call({ onProgress: (progress: ToolProgress) => heard.push(progress) }),
    );
    expect(textOf(result)).toBe('done');
    expect(heard).toEqual([
      { progress: 1, total: 3 },
      { progress: 2, total: 3, message: 'nearly' },
      { progress: 3, total: 3 },
    ]);
  });

  test('hears of a cancelled call, and others go on', async () => {
    const source = await sourceOf(kind);
    const controller = new AbortController();
    const waiting = source.call('wait', {}, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await eventually(async () => (await told(source)).cancelled).toBe(1);
    expect(source.health().status).toBe('ready');
  });

  test('may change its tools while it runs', async () => {
    const source = await sourceOf(kind);
    const before = source.list();
    await source.call('grow', {}, call());
    await eventually(() => source.list().some(({ name }) => name === 'grown')).toBe(true);
    expect(source.list()).not.toBe(before);
    expect(before.some(({ name }) => name === 'grown')).toBe(false);
  });

  test('may refuse with an error of JSON-RPC, which is kept whole', async () => {
    const source = await sourceOf(kind);
    await expect(source.call('refuse', {}, call())).rejects.toMatchObject({
      code: 'upstream_error',
      message: 'special',
      details: { rpc: { code: -32050, message: 'special', data: { deep: [1, null] } } },
    });
  });

  test('answers many calls at one time, each its own', async () => {
    const source = await sourceOf(kind);
    const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    const answers = await Promise.all(texts.map((text) => source.call('echo', { text }, call())));
    expect(answers.map(textOf)).toEqual(texts);
  });
});

describe.each(stdioKinds)('a process (%s)', (kind) => {
  test('that is killed fails its call in a moment, and is back by itself with another one', async () => {
    const source = await sourceOf(kind);
    const { pid } = await told(source);
    expect(source.health().pid).toBe(pid);
    const began = Promise.withResolvers<void>();
    const waiting = source.call('wait', {}, call({ onProgress: () => began.resolve() }));
    await began.promise;
    process.kill(pid, 'SIGKILL');
    await expect(waiting).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('was ended by SIGKILL'),
    });
    await isReady(source);
    expect((await told(source)).pid).not.toBe(pid);
  });

  test('that exits during a call is told with its code and its last words', async () => {
    const source = await sourceOf(kind);
    const seen: ReturnType<McpSource['health']>[] = [];
    source.onChange(() => seen.push(source.health()));
    await expect(source.call('exit', {}, call())).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('ended with exit code 9'),
    });
    expect(seen[0]).toMatchObject({ status: 'down', log: ['last words'] });
    await isReady(source);
  });

  test('gets the secrets that its settings name, and nothing else', async () => {
    process.env.LUNA_TEST_CANARY = 'secret';
    onTestFinished(() => void delete process.env.LUNA_TEST_CANARY);
    const target = stdioTarget(kind, { TOKEN: 'a ${ASKED} b' });
    const source = await started({ target, secrets: async () => ({ ASKED: 'x', OTHER: 'y' }), owner: 'me' });
    const { env } = await told(source);
    expect(env).toMatchObject({ TOKEN: 'a x b', LUNA_OWNER: 'me' });
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['OTHER']));
    expect(JSON.stringify(env)).not.toContain('secret');
  });
});

describe.each(httpKinds)('over HTTP (%s)', (kind) => {
  test('a server that goes and comes is connected again by itself, and answers', async () => {
    const first = await startFeatureServer(kind);
    const source = await started({ target: { kind: 'http-or-sse', url: first.url } });
    const tools = source.list();
    await source.call('echo', { text: 'one' }, call());
    await first.close();
    // Without a call: the stream of notifications breaks.
    await eventually(() => source.health().status).toBe('down');
    await expect(source.call('echo', { text: 'x' }, call())).rejects.toMatchObject({ code: 'source_unavailable' });
    const second = await startFeatureServer(kind, first.port);
    onTestFinished(() => second.close());
    await isReady(source);
    expect(textOf(await source.call('echo', { text: 'two' }, call()))).toBe('two');
    expect(source.list()).toBe(tools);
  });

  test('a call under way fails in a moment when the server goes', async () => {
    const server = await startFeatureServer(kind);
    const source = await started({ target: { kind: 'http-or-sse', url: server.url } });
    const began = Promise.withResolvers<void>();
    const waiting = source.call('wait', {}, call({ onProgress: () => began.resolve() }));
    await began.promise;
    void server.close();
    await expect(waiting).rejects.toMatchObject({ code: 'source_unavailable' });
  });

  test('headers go with every request, with their secrets', async () => {
    const server = await startFeatureServer(kind);
    onTestFinished(() => server.close());
    const headers = { Authorization: 'Bearer ${TOKEN}', 'X-Odd': 'ü'.normalize() && 'plain' };
    const target = { kind: 'http-or-sse', url: server.url, headers } as const;
    const source = await started({ target, secrets: async () => ({ TOKEN: 'x-1' }) });
    await source.call('echo', { text: 'x' }, call());
    expect(server.headers.length).toBeGreaterThan(2);
    for (const sent of server.headers) expect(sent).toMatchObject({ authorization: 'Bearer x-1', 'x-odd': 'plain' });
  });
});

describe.each(['v1 streamable', 'v1 sse', 'v2 streamable 2025'] as const)(
  'a server that forgot the session (%s)',
  (kind) => {
    test('answers the next call all the same', async () => {
      const server = await startFeatureServer(kind);
      onTestFinished(() => server.close());
      const source = await started({ target: { kind: 'http-or-sse', url: server.url } });
      for (const text of ['one', 'two', 'three']) {
        server.forget();
        expect(textOf(await source.call('echo', { text }, call()))).toBe(text);
        expect(source.health().status).toBe('ready');
      }
    });

    test('answers many calls that come at one time', async () => {
      const server = await startFeatureServer(kind);
      onTestFinished(() => server.close());
      const source = await started({ target: { kind: 'http-or-sse', url: server.url } });
      server.forget();
      const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
      const answers = await Promise.all(texts.map((text) => source.call('echo', { text }, call())));
      expect(answers.map(textOf)).toEqual(texts);
    });

    test('finishes what it had begun before', async () => {
      const server = await startFeatureServer(kind);
      onTestFinished(() => server.close());
      const source = await started({ target: { kind: 'http-or-sse', url: server.url } });
      const began = Promise.withResolvers<void>();
      const held = source.call('hold', {}, call({ onProgress: () => began.resolve() }));
      await began.promise;
      server.forget();
      expect(textOf(await source.call('echo', { text: 'other' }, call()))).toBe('other');
      server.features.released = true;
      expect(textOf(await held)).toBe('held');
    });
  },
);

test('a server may come back with the newer protocol, or the older one', async () => {
  let server = await startFeatureServer('v2 streamable 2025');
  const source = await started({ target: { kind: 'http-or-sse', url: server.url } });
  for (const [kind, protocolVersion] of [
    ['v2 streamable 2026', '2026-07-28'],
    ['v1 streamable', '2025-11-25'],
  ] as const) {
    await server.close();
    await eventually(() => source.health().status).toBe('down');
    server = await startFeatureServer(kind, server.port);
    await isReady(source);
    expect(source.agreement).toMatchObject({ protocolVersion });
  }
  await server.close();
});
