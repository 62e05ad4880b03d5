import { describe, expect, test } from 'vitest';
import { answerOf, modern, serveHub } from '../../test/fixtures/served-hub.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { LunaError } from '../errors/index.ts';
import { errorResult, type ToolResult } from '../tools/index.ts';

/** The answers of the fast lane are those of the SDK: a token for progress, which needs a stream, takes the long way. */

const results: Record<string, ToolResult> = {
  plain: { content: [{ type: 'text', text: 'x' }] },
  odd: {
    content: [
      { type: 'hologram', n: 1 },
      { type: 'text', text: '\u2028 "x" 🌙', _meta: { a: 1 }, annotations: { odd: true } },
      { type: 'resource', resource: { uri: 'x:y', blob: 'AA==', more: [null] } },
    ],
    structuredContent: { deep: [null, 1.5, { a: '' }] },
    _meta: { 'x/y': 'z' },
    unknown: [true],
  },
  failed: errorResult('no luck'),
  empty: { content: [] },
};

const rpc = { code: -32050, message: 'special', data: { deep: [1] } };

async function served() {
  const tools = [...Object.keys(results), 'rpc', 'down', 'defect', 'meta'].map((name) =>
    tool(name, { title: name, 'x-unknown': { a: [null] }, icons: [{ src: 'data:,', odd: 1 }] }),
  );
  const source = testSource('s', tools, async (name, _args, { meta }) => {
    if (name === 'rpc') throw new LunaError('upstream_error', 'special', { details: { rpc } });
    if (name === 'down') throw new LunaError('source_unavailable', 'It is down.', { details: { source: 's' } });
    if (name === 'defect') throw new TypeError('oops');
    if (name === 'meta') return { content: [], structuredContent: { meta: meta ?? null } };
    return results[name] as ToolResult;
  });
  const hub = await serveHub([source], { hub: { pageSize: 3 } });
  const session = await hub.session();
  const ask = async (era: '2025' | '2026', method: string, params: Record<string, unknown>, meta?: object) => {
    const request = modern(method, params);
    const _meta = era === '2026' ? { ...request.message.params._meta, ...meta } : meta;
    const message = { ...request.message, id: 'id "7"', params: { ...params, ...(_meta && { _meta }) } };
    const response = await hub.post(message, era === '2026' ? request.headers : session);
    const type = response.headers.get('content-type')?.split(';')[0];
    return { type, answer: await answerOf(response) };
  };
  return { hub, ask };
}

const requests: [string, Record<string, unknown>][] = [
  ['tools/list', {}],
  ['tools/list', { cursor: 'bad' }],
  ['tools/call', { name: 'none' }],
  ...[...Object.keys(results), 'rpc', 'down', 'defect'].map((name): [string, Record<string, unknown>] => [
    'tools/call',
    { name, arguments: { a: 1 } },
  ]),
];

describe.each(['2025', '2026'] as const)('in the era of %s', (era) => {
  test.each(requests)('%s %j is answered alike on both ways', async (method, params) => {
    const { ask } = await served();
    const fast = await ask(era, method, params);
    const long = await ask(era, method, params, { progressToken: 'token' });
    expect(fast.type).toBe('application/json');
    expect(long.answer).toEqual(fast.answer);
  });

  test('all pages come, on both ways', async () => {
    const { ask } = await served();
    for (const meta of [undefined, { progressToken: 1 }]) {
      const names: string[] = [];
      for (let cursor: unknown; ; ) {
        const { answer } = await ask(era, 'tools/list', cursor === undefined ? {} : { cursor }, meta);
        const page = answer.result as { tools: { name: string }[]; nextCursor?: string };
        names.push(...page.tools.map(({ name }) => name));
        expect(page.tools[0]).toMatchObject({ 'x-unknown': { a: [null] }, icons: [{ src: 'data:,', odd: 1 }] });
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(names).toEqual([...Object.keys(results), 'rpc', 'down', 'defect', 'meta']);
    }
  });

  test('every field of a result reaches the client', async () => {
    const { ask } = await served();
    const { answer } = await ask(era, 'tools/call', { name: 'odd' });
    expect(answer).toMatchObject({ id: 'id "7"', result: results.odd });
    if (era === '2025') expect(answer.result).toEqual(results.odd);
  });

  test('what the client says of the call reaches the source, and what it says of itself does not', async () => {
    const { ask } = await served();
    for (const token of [{}, { progressToken: 'token' }]) {
      const { answer } = await ask(era, 'tools/call', { name: 'meta' }, { ...token, trace: 'x', 'a.b/c': [1] });
      expect(answer).toMatchObject({ result: { structuredContent: { meta: { trace: 'x', 'a.b/c': [1] } } } });
      const { meta } = (answer as { result: { structuredContent: { meta: object } } }).result.structuredContent;
      expect(Object.keys(meta).sort()).toEqual(['a.b/c', 'trace']);
    }
  });
});
