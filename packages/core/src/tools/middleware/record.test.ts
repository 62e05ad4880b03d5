import { expect, test } from 'vitest';
import { testSource, tool } from '../../../test/test-source.ts';
import { LunaError } from '../../errors/index.ts';
import { ToolPipeline } from '../pipeline.ts';
import { ToolRegistry } from '../registry.ts';
import { errorResult, type ToolResult, textResult } from '../result.ts';
import { type CallRecord, record } from './record.ts';

async function recorded(answer: () => Promise<ToolResult>): Promise<CallRecord[]> {
  const registry = new ToolRegistry();
  registry.add(testSource('s', [tool('a')], answer));
  const records: CallRecord[] = [];
  const pipeline = new ToolPipeline(registry).use(record((call) => records.push(call)));
  const call = { name: 'a', args: { password: 'hunter2' }, caller: { kind: 'hub', name: 'main' } };
  await pipeline.call(call).catch(() => undefined);
  return records;
}

test.each([
  ['a result', async () => textResult('x'), { outcome: 'ok' }],
  ['a failure of the tool', async () => errorResult('x'), { outcome: 'tool_error' }],
  [
    'an error',
    async () => Promise.reject(new LunaError('source_unavailable', 'It is down.')),
    { outcome: 'error', errorCode: 'source_unavailable', errorMessage: 'It is down.' },
  ],
  [
    'anything else that is thrown',
    async () => Promise.reject('oh'),
    { outcome: 'error', errorCode: 'internal', errorMessage: 'oh' },
  ],
] as const)('%s is recorded once', async (_what, answer, end) => {
  const before = Date.now();
  const records = await recorded(answer);
  expect(records).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      tool: 'a',
      source: 's',
      caller: { kind: 'hub', name: 'main' },
      startedAt: expect.any(Number),
      durationMs: expect.any(Number),
      ...end,
    },
  ]);
  expect(records[0]?.startedAt).toBeGreaterThanOrEqual(before);
  expect(records[0]?.durationMs).toBeGreaterThanOrEqual(0);
});

test('neither arguments nor results are part of a record', async () => {
  const text = JSON.stringify(await recorded(async () => textResult('seven of nine')));
  expect(text).not.toContain('hunter2');
  expect(text).not.toContain('seven');
});

test('the thrown error goes on, with what is known of the call', async () => {
  const registry = new ToolRegistry();
  const thrown = new TypeError('as it was');
  registry.add(testSource('s', [tool('a')], async () => Promise.reject(thrown)));
  const pipeline = new ToolPipeline(registry).use(record(() => undefined));
  await expect(pipeline.call({ name: 'a', caller: { kind: 'test' } })).rejects.toMatchObject({
    code: 'internal',
    message: 'as it was',
    cause: thrown,
    details: { outcome: 'unknown' },
  });
});
