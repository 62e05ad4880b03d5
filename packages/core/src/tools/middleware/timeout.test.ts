import { expect, test } from 'vitest';
import { testSource, tool } from '../../../test/test-source.ts';
import { LunaError } from '../../errors/index.ts';
import type { SourceCall } from '../call.ts';
import { ToolPipeline } from '../pipeline.ts';
import { ToolRegistry } from '../registry.ts';
import { textResult } from '../result.ts';
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
  const { pipeline } = pipelineOf({ idleMs: 1_000, absoluteMs: 3_000 }, async ({ onProgress, signal }) => {
    for (let progress = 0; !signal.aborted; progress++) {
      onProgress?.({ progress });
      await new Promise((next) => setTimeout(next, 10));
    }
  });
  await expect(pipeline.call(request)).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('3000 ms (absolute limit)'),
  });
});

test('a call that was withdrawn before it began never reaches the source', async () => {
  let reached = false;
  const { pipeline, records } = pipelineOf({ idleMs: 60_000, absoluteMs: 60_000 }, async () => {
    reached = true;
  });
  const reason = new Error('gone');
  await expect(pipeline.call({ ...request, signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
    code: 'cancelled',
    cause: reason,
  });
  expect(reached).toBe(false);
  expect(records).toMatchObject([{ outcome: 'error', errorCode: 'cancelled' }]);
});

test('limits may differ from tool to tool', async () => {
  const registry = new ToolRegistry();
  registry.add(testSource('slow', [tool('a')], () => new Promise(() => undefined)));
  const pipeline = new ToolPipeline(registry).use(
    timeout((call) => ({ idleMs: call.tool.source.id === 'slow' ? 20 : 60_000, absoluteMs: 60_000 })),
  );
  await expect(pipeline.call(request)).rejects.toMatchObject({ code: 'timeout', details: { tool: 'a', limitMs: 20 } });
});

test('a source that throws at once is an error of the call like any other', async () => {
  const registry = new ToolRegistry();
  registry.add(
    testSource('s', [tool('a')], () => {
      throw new LunaError('source_unavailable', 'down');
    }),
  );
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const pipeline = new ToolPipeline(registry).use(timeout({ idleMs: 60_000, absoluteMs: 60_000 }));
  await expect(pipeline.call(request)).rejects.toMatchObject({ code: 'source_unavailable' });
  expect(timers()).toBe(before);
});

test('what a source answers after its call was withdrawn is heard by nobody', async () => {
  let answer: (() => void) | undefined;
  const { pipeline, records } = pipelineOf(
    { idleMs: 60_000, absoluteMs: 60_000 },
    () => new Promise((settle) => (answer = settle)),
  );
  const controller = new AbortController();
  const call = pipeline.call({ ...request, signal: controller.signal });
  controller.abort();
  answer?.();
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  expect(records).toHaveLength(1);
});

test('the caller can withdraw, before and during the call', async () => {
  const { pipeline } = pipelineOf({ idleMs: 60_000, absoluteMs: 60_000 }, never);
  await expect(pipeline.call({ ...request, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  const controller = new AbortController();
  const call = pipeline.call({ ...request, signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
});
