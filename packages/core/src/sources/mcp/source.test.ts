import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ServerKind, startMcpServer } from '../../../test/fixtures/mcp-server.ts';
import type { ToolProgress } from '../../tools/index.ts';
import { McpSource } from './source.ts';
import type { McpSourceOptions } from './source-options.ts';

const quickly = { delaysMs: [0, 50], resetAfterMs: 60_000 };

async function started(options: Omit<McpSourceOptions, 'id'>): Promise<McpSource> {
  const source = new McpSource({ id: 'server', restart: quickly, ...options });
  onTestFinished(() => source.close());
  await source.start();
  return source;
}

async function serverOf(kind: ServerKind, port?: number) {
  const server = await startMcpServer(kind, port);
  onTestFinished(() => server.close());
  return server;
}

/** A server over stdio from a script that answers requests by method; `answer` gets the request and sends messages. */
async function scripted(body: string): Promise<McpSourceOptions['target']> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-mcp-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'server.mjs');
  await writeFile(
    file,
    `import { createInterface } from 'node:readline';
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
const initialized = { protocolVersion: '2025-06-18', capabilities: { tools: { listChanged: true } }, serverInfo: { name: 'scripted', version: '1' } };
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const answer = (result) => send({ id, result });
  if (method === 'initialize') return answer(initialized);
  ${body}
  if (id !== undefined) send({ id, error: { code: -32601, message: 'Method not found' } });
});
`,
  );
  return { kind: 'stdio', command: process.execPath, args: [file], cwd: folder };
}

const call = (signal = new AbortController().signal) => ({ signal });
const until = (source: McpSource, check: () => boolean) =>
  new Promise<void>((settle) => {
    const look = () => {
      if (!check()) return;
      stop();
      settle();
    };
    const stop = source.onChange(look);
    look();
  });

describe.each(['streamable 2025', 'streamable 2026', 'sse'] as const)('a server over HTTP (%s)', (kind) => {
  test('is listed and called; its failures are results', async () => {
    const server = await serverOf(kind);
    const source = await started({ target: { kind: 'http-or-sse', url: server.url } });
    expect(source.health()).toEqual({ status: 'ready' });
    expect(source.agreement).toMatchObject({
      transport: kind === 'sse' ? 'sse' : 'http',
      protocolVersion: kind === 'streamable 2026' ? '2026-07-28' : '2025-11-25',
    });
    expect(source.list().map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'fail']));
    expect(await source.call('echo', { text: 'häl "lo"' }, call())).toMatchObject({
      content: [{ type: 'text', text: 'häl "lo"' }],
    });
    expect(await source.call('fail', {}, call())).toMatchObject({ isError: true });
    await expect(source.call('nothing', {}, call())).rejects.toMatchObject({ code: 'tool_not_found' });
  });

  test('that was started anew answers the next call', async () => {
    const first = await serverOf(kind);
    const source = await started({ target: { kind: 'http-or-sse', url: first.url } });
    await source.call('echo', { text: 'one' }, call());
    await first.close();
    await serverOf(kind, first.port);
    if (kind === 'sse') await until(source, () => source.health().status === 'ready');
    const answer = async () => (await source.call('echo', { text: 'two' }, call())).content;
    // A connection that broke while nobody used it may cost one call, never more.
    const content = await answer().catch(() => until(source, () => source.health().status === 'ready').then(answer));
    expect(content).toMatchObject([{ text: 'two' }]);
  });

  test('that comes later is connected by itself', async () => {
    const probe = await serverOf(kind);
    await probe.close();
    const source = await started({ target: { kind: 'http-or-sse', url: probe.url } });
    expect(source.health()).toMatchObject({
      status: 'down',
      reason: expect.stringContaining(`Cannot connect to http://127.0.0.1:${probe.port}`),
    });
    await expect(source.call('echo', { text: 'x' }, call())).rejects.toMatchObject({ code: 'tool_not_found' });
    await serverOf(kind, probe.port);
    await until(source, () => source.health().status === 'ready');
    expect(source.list().length).toBeGreaterThan(0);
  });
});

test.each(['streamable 2025', 'streamable 2026'] as const)(
  'progress comes through and cancelling reaches the server (%s)',
  async (kind) => {
    const server = await serverOf(kind);
    const source = await started({ target: { kind: 'http', url: server.url } });
    const heard: ToolProgress[] = [];
    await source.call('steps', { wait: false }, { ...call(), onProgress: (progress) => heard.push(progress) });
    expect(heard).toEqual([{ progress: 1, total: 2, message: 'half' }]);

    const controller = new AbortController();
    const waiting = source.call(
      'steps',
      { wait: true },
      { signal: controller.signal, onProgress: () => controller.abort() },
    );
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => server.cancelled()).toBe(1);
  },
);

describe('a server over stdio', () => {
  const tools = `if (method === 'tools/list') return answer({ tools: [{ name: 'odd', inputSchema: { type: 'object', 'x-odd': [1] }, 'x-unknown': { a: null }, icons: [{ src: 'data:,' }] }] });`;

  test('keeps every field that it sends, in lists, results and errors', async () => {
    const odd = {
      content: [
        { type: 'hologram', shape: { n: 1e21 } },
        { type: 'text', text: '\u2028', _meta: { x: 1 } },
      ],
      structuredContent: [1, null],
      _meta: { 'a/b': 'c' },
      unknown: true,
    };
    const target = await scripted(`${tools}
      if (method === 'tools/call' && params.arguments.fail) return send({ id, error: { code: -32042, message: 'special', data: { deep: [1] } } });
      if (method === 'tools/call') return answer(${JSON.stringify(odd)});`);
    const source = await started({ target });
    expect(source.list()).toEqual([
      {
        name: 'odd',
        inputSchema: { type: 'object', 'x-odd': [1] },
        'x-unknown': { a: null },
        icons: [{ src: 'data:,' }],
      },
    ]);
    expect(await source.call('odd', {}, call())).toEqual(odd);
    await expect(source.call('odd', { fail: true }, call())).rejects.toMatchObject({
      code: 'upstream_error',
      details: { rpc: { code: -32042, message: 'special', data: { deep: [1] } } },
    });
  });

  test('may print what is not JSON, send pages, and change its list', async () => {
    const target = await scripted(`
      if (method === 'tools/list') { console.log('starting up...'); const page = Number(params.cursor ?? 0);
        return answer({ tools: [{ name: 'tool' + page + (globalThis.extra ?? ''), inputSchema: { type: 'object' } }], ...(page < 2 && { nextCursor: String(page + 1) }) }); }
      if (method === 'tools/call') { globalThis.extra = 'x'; answer({ content: [] }); return send({ method: 'notifications/tools/list_changed' }); }`);
    const source = await started({ target });
    expect(source.list().map(({ name }) => name)).toEqual(['tool0', 'tool1', 'tool2']);
    await source.call('tool0', {}, call());
    await until(source, () => source.list()[0]?.name === 'tool0x');
  });

  test('that dies during a call fails it at once with the reason, and is started again', async () => {
    const target = await scripted(`${tools}
      if (method === 'tools/call') { console.error('out of luck'); process.exit(9); }`);
    const source = await started({ target });
    const { pid } = source.health();
    await expect(source.call('odd', {}, call())).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('exit code 9'),
    });
    expect(source.list()).toHaveLength(1);
    await until(source, () => source.health().status === 'ready');
    expect(source.health().pid).not.toBe(pid);
  });

  test('that never answers can be closed', async () => {
    const source = new McpSource({
      id: 's',
      target: { kind: 'stdio', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] },
    });
    const starting = source.start();
    await until(source, () => source.health().status === 'starting');
    await source.close();
    await starting;
    expect(source.health().status).toBe('stopped');
  });

  test('names the secret that is missing', async () => {
    const target = { kind: 'stdio', command: process.execPath, env: { TOKEN: '${MISSING_TOKEN}' } } as const;
    const source = await started({ target, secrets: async () => ({}) });
    expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining('MISSING_TOKEN') });
  });

  test('that speaks no protocol that is known is told so, and not by the way it ends when it is closed', async () => {
    const script = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const result = { protocolVersion: '1.0', capabilities: {}, serverInfo: { name: 'old', version: '1' } };
      console.log(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(line).id, result }));
    });`;
    const source = await started({ target: { kind: 'stdio', command: process.execPath, args: ['-e', script] } });
    expect(source.health()).toMatchObject({
      status: 'down',
      reason: expect.stringMatching(/protocol version.*1\.0\.?$/),
    });
  });

  test('is given up after five quick deaths, with its last words', async () => {
    const restart = { delaysMs: [0], giveUpAfter: 5, resetAfterMs: 60_000 };
    const source = await started({
      target: {
        kind: 'stdio',
        command: process.execPath,
        args: ['-e', 'console.error("no licence"); process.exit(3)'],
      },
      restart,
    });
    await until(source, () => source.health().reason?.includes('left stopped') === true);
    expect(source.health()).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('no licence'),
      log: ['no licence'],
    });
    expect(source.health().retryAt).toBeUndefined();
  });
});
