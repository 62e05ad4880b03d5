import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/fixtures/eventually.ts';
import { serveHub } from '../../test/fixtures/served-hub.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { LunaError } from '../errors/index.ts';
import { type ToolProgress, textResult } from '../tools/index.ts';

/** What the tests need of a client, whatever line of the SDK it is of. */
interface AnyClient {
  tools(): Promise<{ name: string }[]>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<Record<string, unknown>>;
  version(): string | undefined;
  close(): Promise<void>;
}

interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: ToolProgress) => void;
}

const info = { name: 'test', version: '1' };

async function v1(url: URL, onChanged: () => void): Promise<AnyClient> {
  const client = new V1Client(info);
  client.setNotificationHandler(ToolListChangedNotificationSchema, onChanged);
  const transport = new V1Transport(url);
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools,
    call: async (name, args, options) => ({
      ...(await client.callTool({ name, arguments: args }, undefined, options)),
    }),
    version: () => transport.protocolVersion,
    close: () => client.close(),
  };
}

const v2 =
  (mode: 'legacy' | 'auto') =>
  async (url: URL, onChanged: () => void): Promise<AnyClient> => {
    const client = new Client(info, {
      versionNegotiation: { mode },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
    });
    await client.connect(new StreamableHTTPClientTransport(url));
    return {
      tools: async () => (await client.listTools()).tools,
      call: async (name: string, args?: Record<string, unknown>, options?: CallOptions) => ({
        ...(await client.callTool({ name, arguments: args }, options)),
      }),
      version: () => client.getNegotiatedProtocolVersion(),
      close: () => client.close(),
    };
  };

const clients = [
  ['SDK 1.x', '2025-11-25', v1],
  ['SDK 2.x for 2025', '2025-11-25', v2('legacy')],
  ['SDK 2.x for 2026', '2026-07-28', v2('auto')],
] as const;

describe.each(clients)('%s', (_name, version, connect) => {
  const connected = async (url: URL, onChanged: () => void = () => undefined) => {
    const client = await connect(url, onChanged);
    onTestFinished(() => client.close());
    return client;
  };

  test('lists all pages and calls', async () => {
    const tools = Array.from({ length: 12 }, (_, index) => tool(`t${index}`));
    const { url } = await serveHub([testSource('s', tools)]);
    const client = await connected(url);
    expect(client.version()).toBe(version);
    expect((await client.tools()).map(({ name }) => name)).toEqual(tools.map(({ name }) => name));
    expect(await client.call('t3', { a: ['ü', 1.5, null] })).toMatchObject({
      structuredContent: { name: 't3', args: { a: ['ü', 1.5, null] } },
    });
  });

  test('gets the error of an upstream as it was, and others with a reason', async () => {
    const source = testSource('s', [tool('rpc'), tool('down'), tool('defect')], async (name) => {
      if (name === 'rpc') {
        const rpc = { code: -32050, message: 'special', data: { deep: [1] } };
        throw new LunaError('upstream_error', 'special', { details: { rpc } });
      }
      if (name === 'down') throw new LunaError('source_unavailable', 'It is down.', { details: { source: 's' } });
      throw new TypeError('oops');
    });
    const { url } = await serveHub([source]);
    const client = await connected(url);
    await expect(client.call('rpc')).rejects.toMatchObject({ code: -32050, data: { deep: [1] } });
    await expect(client.call('down')).rejects.toMatchObject({
      code: -32603,
      message: expect.stringContaining('It is down.'),
      data: { code: 'source_unavailable', source: 's' },
    });
    await expect(client.call('defect')).rejects.toMatchObject({ code: -32603, data: { code: 'internal' } });
    await expect(client.call('none')).rejects.toMatchObject({ code: -32602 });
  });

  test('hears of progress', async () => {
    const source = testSource('s', [tool('steps')], async (_name, _args, { onProgress }) => {
      onProgress?.({ progress: 1, total: 2, message: 'half' });
      onProgress?.({ progress: 2, total: 2 });
      return textResult('done');
    });
    const { url } = await serveHub([source]);
    const client = await connected(url);
    const heard: ToolProgress[] = [];
    const result = await client.call('steps', {}, { onprogress: (progress) => heard.push(progress) });
    expect(result.content).toEqual(textResult('done').content);
    expect(heard).toEqual([
      { progress: 1, total: 2, message: 'half' },
      { progress: 2, total: 2 },
    ]);
  });

  test.each(['fast', 'with progress'])('withdraws a call, and only that (%s)', async (way) => {
    const [running, aborted]: [string[], string[]] = [[], []];
    const source = testSource('s', [tool('wait')], (_name, { who }, { signal }) => {
      running.push(String(who));
      return new Promise((settle) => {
        const finish = () => settle(textResult(String(aborted.push(String(who)))));
        signal.addEventListener('abort', finish, { once: true });
      });
    });
    const { url } = await serveHub([source]);
    const [one, two] = [await connected(url), await connected(url)];
    const controller = new AbortController();
    const more = way === 'fast' ? {} : { onprogress: () => undefined };
    const withdrawn = one.call('wait', { who: 'one' }, { signal: controller.signal, ...more });
    const failed = withdrawn.then(
      () => 'answered',
      () => 'failed',
    );
    two.call('wait', { who: 'two' }, more).catch(() => undefined);
    await eventually(() => running.length).toBe(2);
    controller.abort();
    expect(await failed).toBe('failed');
    await eventually(() => aborted).toEqual(['one']);
  });

  test('hears of each change that it can see, once, and of no other', async () => {
    const source = testSource('s', [tool('seen')]);
    const selection = ({ tool: { name } }: { tool: { name: string } }) => !name.startsWith('hidden');
    const { url, hub } = await serveHub([source], { hub: { selection } });
    let heard = 0;
    const client = await connected(url, () => heard++);
    let told = 0;
    hub.onToolsChanged(() => told++);
    source.setTools([tool('seen'), tool('hidden')]);
    source.setTools([tool('seen'), tool('hidden'), tool('hidden too')]);
    // The next change shows that nothing was on its way before it.
    source.setTools([tool('seen'), tool('new')]);
    await eventually(() => heard).toBe(1);
    expect((await client.tools()).map(({ name }) => name)).toEqual(['seen', 'new']);
    hub.select(() => false);
    await eventually(() => heard).toBe(2);
    expect(await client.tools()).toEqual([]);
    expect(told).toBe(2);
  });
});

test('a hundred callers at one time get their own answers', async () => {
  const source = testSource('s', [tool('who')], async (_name, { who }) => {
    // Answers leave in another order than the calls came.
    await new Promise((settle) => setTimeout(settle, (Number(who) * 37) % 50));
    return textResult(String(who));
  });
  const { url, post, session } = await serveHub([source]);
  const callers = await Promise.all(
    Array.from({ length: 100 }, async (_, who) => {
      if (who % 3 !== 0) return { who, headers: await session() };
      return { who, client: await v2(who % 2 === 0 ? 'auto' : 'legacy')(url, () => undefined) };
    }),
  );
  onTestFinished(async () => {
    await Promise.all(callers.map(({ client }) => client?.close()));
  });
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(
      callers.map(async ({ who, headers, client }) => {
        if (client) return (await client.call('who', { who })).content;
        // Every raw caller uses the same id.
        const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'who', arguments: { who } } };
        const answer = await (await post(message, headers)).json();
        expect(answer.id).toBe(1);
        return answer.result.content;
      }),
    );
    expect(answers).toEqual(callers.map(({ who }) => textResult(String(who)).content));
  }
});
