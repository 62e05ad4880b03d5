import { expect, test } from 'vitest';
import { testSource, tool } from '../../../test/test-source.ts';
import { ToolPipeline } from '../pipeline.ts';
import { ToolRegistry } from '../registry.ts';
import { textResult } from '../result.ts';
import type { SourceCall } from '../source.ts';
import { type CallRecord, record } from './record.ts';
import { type TimeoutLimits, timeout } from './timeout.ts';

function pipelineOf(
  limits: TimeoutLimits,
  work: (call: SourceCall) => Promise<void>,
): { pipeline: ToolPipeline; records: CallRecord[] } {
  const registry = new ToolRegistry();
  registry.add(
    testSource('s', [tool('a')], async (_name, _args, call) => {
      await work(call);
      return textResult('done');
    }),
  );
  const records: CallRecord[] = [];
  return {
    pipeline: new ToolPipeline(registry).use(record((call) => records.push(call))).use(timeout(limits)),
    records,
  };
}

const never = () => new Promise<void>(() => undefined);
const request = { name: 'a', caller: { kind: 'test' } };

test('a call that ends in time is left alone, and recorded', async () => {
  const { pipeline, records } = pipelineOf({ idleMs: 1_000, absoluteMs: 1_000 }, async () => undefined);
  expect(await pipeline.call(request)).toEqual(textResult('done'));
  expect(records).toMatchObject([{ tool: 'a', source: 's', outcome: 'ok', caller: { kind: 'test' } }]);
});

test('a silent call ends at the idle limit, even where the source ignores the signal', async () => {
  let signal: AbortSignal | undefined;
  const { pipeline, records } = pipelineOf({ idleMs: 30, absoluteMs: 60_000 }, (call) => {
    signal = call.signal;
    return never();
  });
  await expect(pipeline.call(request)).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('30 ms (idle limit)'),
  });
  expect(signal?.aborted).toBe(true);
  expect(records).toMatchObject([{ outcome: 'error', errorCode: 'timeout' }]);
});

test('progress keeps a call alive, up to the absolute limit', async () => {
  const { pipeline } = pipelineOf({ idleMs: 60, absoluteMs: 400 }, async ({ onProgress, signal }) => {
    for (let progress = 0; !signal.aborted; progress++) {
      onProgress?.({ progress });
      await new Promise((next) => setTimeout(next, 10));
    }
  });
  await expect(pipeline.call(request)).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('400 ms (absolute limit)'),
  });
});

test('the caller can withdraw, before and during the call', async () => {
  const { pipeline } = pipelineOf({ idleMs: 60_000, absoluteMs: 60_000 }, never);
  await expect(pipeline.call({ ...request, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  const controller = new AbortController();
  const call = pipeline.call({ ...request, signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
});
