import { expect, test } from 'vitest';
import { eventually } from '../../test/fixtures/eventually.ts';
import { answerOf, modern, serveHub } from '../../test/fixtures/served-hub.ts';
import { type TestPeer, testPeer, testSource, tool } from '../../test/test-source.ts';
import type { ToolSource } from '../tools/index.ts';

function server(id: string, more: Partial<Parameters<typeof testPeer>[0]> = {}): ToolSource & { peer: TestPeer } {
  const peer = testPeer({
    capabilities: { resources: {}, prompts: {}, completions: {}, logging: {} },
    lists: {
      resources: [
        { uri: 'x://same', name: id },
        { uri: `x://${id}`, name: id },
      ],
      prompts: [{ name: 'same' }, { name: `only ${id}` }],
    },
    ...more,
  });
  return Object.assign(testSource(id, [tool(`tool-${id}`)]), { peer });
}

async function served(...sources: ToolSource[]) {
  const hub = await serveHub(sources);
  const session = await hub.session();
  let id = 0;
  const legacy = async (method: string, params: Record<string, unknown> = {}) =>
    answerOf(await hub.post({ jsonrpc: '2.0', id: ++id, method, params }, session));
  const newer = async (method: string, params: Record<string, unknown> = {}) => {
    const { message, headers } = modern(method, params);
    const name = typeof params.uri === 'string' ? { 'mcp-name': params.uri } : {};
    return answerOf(await hub.post(message, { ...headers, ...name }));
  };
  return { ...hub, sessionHeaders: session, asks: [legacy, newer] };
}

test('resources and prompts of all are listed under names that lead to one', async () => {
  const { asks } = await served(server('a'), server('b'));
  for (const ask of asks) {
    const { resources } = (await ask('resources/list')).result as { resources: { uri: string; name: string }[] };
    expect(resources.map(({ uri }) => uri)).toEqual(['luna.a+x://same', 'x://a', 'luna.b+x://same', 'x://b']);
    const { prompts } = (await ask('prompts/list')).result as { prompts: { name: string }[] };
    expect(prompts.map(({ name }) => name)).toEqual(['a__same', 'only a', 'b__same', 'only b']);
  }
});

test('a request reaches the right server under its own names, and the result comes back under ours', async () => {
  const [a, b] = [server('a'), server('b')];
  b.peer.answer = (method, { uri }) =>
    method === 'resources/read'
      ? { contents: [{ uri, text: 'b', 'x-odd': 1 }], _meta: { 'x/y': 1 } }
      : { messages: [{ role: 'user', content: { type: 'resource_link', uri: 'x://same', name: 'n' } }] };
  const { asks } = await served(a, b);
  for (const ask of asks) {
    expect(await ask('resources/read', { uri: 'luna.b+x://same' })).toMatchObject({
      result: { contents: [{ uri: 'luna.b+x://same', text: 'b', 'x-odd': 1 }], _meta: { 'x/y': 1 } },
    });
    expect(b.peer.asked.at(-1)).toMatchObject({ method: 'resources/read', params: { uri: 'x://same' } });
    expect(await ask('prompts/get', { name: 'b__same' })).toMatchObject({
      result: { messages: [{ content: { uri: 'luna.b+x://same' } }] },
    });
    expect(b.peer.asked.at(-1)).toMatchObject({ method: 'prompts/get', params: { name: 'same' } });
  }
  expect(a.peer.asked).toEqual([]);
});

test('what could be of several, or of nobody, is refused with what to ask for', async () => {
  const { asks } = await served(server('a'), server('b'));
  const [legacy, newer] = asks;
  expect(await newer?.('resources/read', { uri: 'x://same' })).toMatchObject({
    error: { code: -32602, data: { uri: 'x://same' } },
  });
  const refused = await legacy?.('resources/read', { uri: 'x://same' });
  expect(refused).toMatchObject({ error: { code: -32002, message: expect.stringContaining('luna.b+x://same') } });
  expect(await legacy?.('prompts/get', { name: 'same' })).toMatchObject({ error: { code: -32602 } });
  expect(await legacy?.('completion/complete', { ref: { type: 'odd' } })).toMatchObject({ error: { code: -32602 } });
});

test('a hub shows resources and prompts of servers of which it shows a tool, and of no other', async () => {
  const { hub, asks } = await served(server('a'), server('b'));
  hub.select(({ source }) => source.id === 'a');
  for (const ask of asks) {
    const { resources } = (await ask('resources/list')).result as { resources: { uri: string }[] };
    expect(resources.map(({ uri }) => uri)).toEqual(['x://same', 'x://a']);
    expect(await ask('prompts/get', { name: 'only b' })).toMatchObject({ error: { code: -32602 } });
  }
});

test('a change of a resource is told to who subscribed, under the name that it knows', async () => {
  const [a, b] = [server('a'), server('b')];
  const { url, sessionHeaders, asks, session } = await served(a, b);
  const texts: string[] = [];
  for (const headers of [sessionHeaders, await session()]) {
    const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers } });
    const index = texts.push('') - 1;
    void (async () => {
      for await (const chunk of response.body ?? []) texts[index] += Buffer.from(chunk).toString('utf8');
    })().catch(() => undefined);
  }
  const [legacy] = asks;
  await legacy?.('resources/subscribe', { uri: 'luna.b+x://same' });
  expect(b.peer.subscribed).toEqual(['x://same']);
  b.peer.tell({ method: 'notifications/resources/updated', params: { uri: 'x://same' } });
  await eventually(() => texts[0]?.includes('luna.b+x://same')).toBe(true);
  expect(texts[1]).not.toContain('updated');
  await legacy?.('resources/unsubscribe', { uri: 'luna.b+x://same' });
  expect(b.peer.subscribed).toEqual([]);
});
