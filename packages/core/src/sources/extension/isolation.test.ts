import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { startExtension, textOf, toolFile } from '../../../test/fixtures/extension-folder.ts';
import type { SourceHealth } from '../../tools/index.ts';

/** All states of health from now on. */
function healthOf(source: { health(): SourceHealth; onChange(listener: () => void): () => void }): SourceHealth[] {
  const seen: SourceHealth[] = [];
  source.onChange(() => seen.push(source.health()));
  return seen;
}

const tools = `
  const begun = (progress) => progress({ progress: 1 });
  export const TOOLS = [
    { name: 'id', description: '', handler: () => String(globalThis.id ??= Math.random()) },
    { name: 'wait', description: '', handler: (_args, { signal, progress }) => new Promise((settle) => {
      signal.addEventListener('abort', () => { globalThis.aborted = true; settle('late'); }); begun(progress); }) },
    { name: 'aborted', description: '', handler: () => String(globalThis.aborted === true) },
    { name: 'loop', description: '', handler: (_args, { progress }) => { begun(progress); for (;;); } },
    { name: 'exit', description: '', handler: () => process.exit(3) },
    { name: 'throw_later', description: '', handler: (_args, { progress }) => {
      setTimeout(() => { throw new Error('nobody caught me'); }); return new Promise(() => {}); } },
    { name: 'reject_later', description: '', handler: () => {
      setTimeout(() => Promise.reject(new Error('nobody awaited me'))); return new Promise(() => {}); } },
    { name: 'bomb', description: '', handler: () => { const all = []; for (;;) all.push(Array.from({ length: 100_000 }, () => ({}))); } },
    { name: 'recurse', description: '', handler: () => { const again = () => again() + 1; return again(); } },
  ];`;

describe('a withdrawn call', () => {
  test('ends for its caller at once, and the handler hears of it', async () => {
    const { call, source } = await startExtension({ 'tools/a_tools.js': tools });
    const controller = new AbortController();
    const waiting = call('wait', {}, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled', message: expect.stringContaining('"wait"') });
    await eventually(async () => textOf(await call('aborted'))).toBe('true');
    expect(source.health()).toEqual({ status: 'ready' });
  });

  test('before it began is not begun', async () => {
    const { call } = await startExtension({ 'tools/a_tools.js': tools });
    await expect(call('exit', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    const id = textOf(await call('id'));
    expect(textOf(await call('id'))).toBe(id);
  });

  test('of a handler that never yields: the worker is replaced, and others work again', async () => {
    const { call, source } = await startExtension({ 'tools/a_tools.js': tools });
    const tools_before = source.list();
    const id = textOf(await call('id'));
    const seen = healthOf(source);
    const controller = new AbortController();
    const looping = call('loop', {}, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(looping).rejects.toMatchObject({ code: 'cancelled' });
    // Made while the worker is stuck: nothing can answer it, and it is told why.
    await expect(call('id')).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('its tool "loop" kept the worker busy'),
    });
    await eventually(() => source.health()).toEqual({ status: 'ready' });
    expect(textOf(await call('id'))).not.toBe(id);
    expect(seen.map(({ status }) => status)).toEqual(['down', 'ready']);
    expect(seen[0]?.reason).toContain('its tool "loop" kept the worker busy and could not be cancelled');
    // A short absence is none to clients.
    expect(source.list()).toBe(tools_before);
  });
});

describe('a worker that ends', () => {
  test.each([
    ['exit', 'it ended by itself'],
    ['throw_later', 'nobody caught me'],
    ['reject_later', 'nobody awaited me'],
  ])('by %s fails what was under way, says why, and is back by itself', async (name, why) => {
    const { call, source } = await startExtension({ 'tools/a_tools.js': tools });
    const seen = healthOf(source);
    const began = Promise.withResolvers<void>();
    const waiting = call('wait', {}, { onProgress: () => began.resolve() });
    await began.promise;
    const outcomes = await Promise.allSettled([waiting, call(name)]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'source_unavailable', message: expect.stringContaining(why) },
      });
    }
    await eventually(() => source.health()).toEqual({ status: 'ready' });
    expect(textOf(await call('id'))).toMatch(/^0\./);
    expect(seen[0]).toMatchObject({ status: 'down', reason: expect.stringContaining(why) });
  });

  test('by eating memory does not take this process down', async () => {
    const { call, source } = await startExtension({ 'tools/a_tools.js': tools }, { memoryLimitMb: 32 });
    await expect(call('bomb')).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringMatching(/memory/i),
    });
    await eventually(() => source.health()).toEqual({ status: 'ready' });
    expect(textOf(await call('id'))).toMatch(/^0\./);
  });

  test('again and again is left stopped, with the reason, until a file is saved', async () => {
    const { call, source, write } = await startExtension({
      'tools/a_tools.js': `setTimeout(() => { throw new Error('at every start'); }, 100); ${toolFile('a', '() => 1')}`,
    });
    // The second restart waits for a second; a save begins anew.
    await eventually(() => source.health().retryAt).toBeGreaterThan(Date.now() + 500);
    expect(source.health()).toMatchObject({ status: 'down', reason: 'It crashed: at every start' });
    await write({ 'tools/a_tools.js': toolFile('a', '() => 2') });
    await source.reload();
    expect(source.health()).toEqual({ status: 'ready' });
    expect(textOf(await call('a'))).toBe('2');
  });

  test('with a stack that overflows is none: the handler failed', async () => {
    const { call, source } = await startExtension({ 'tools/a_tools.js': tools });
    expect(await call('recurse')).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/stack/) }] });
    expect(source.health()).toEqual({ status: 'ready' });
  });
});

describe('the environment of a tool', () => {
  const environment = toolFile('environment', '() => process.env');

  test('holds the secrets that its manifest asks for, and no others', async () => {
    process.env.LUNA_TEST_CANARY = 'of the process';
    onTestFinished(() => void delete process.env.LUNA_TEST_CANARY);
    let secrets: Record<string, string> = { ASKED: 'one', OTHER: 'not asked for' };
    const { call, source, write } = await startExtension(
      {
        'config.json': JSON.stringify({ required_secrets: ['ASKED', 'MISSING', 'constructor'] }),
        'tools/a_tools.js': environment,
      },
      { secrets: async () => secrets },
    );
    const read = async () => (await call('environment')).structuredContent as Record<string, string>;
    const before = await read();
    expect(before).toMatchObject({ ASKED: 'one', HOME: process.env.HOME });
    for (const key of ['OTHER', 'MISSING', 'LUNA_TEST_CANARY', 'LUNA_OWNER', 'constructor']) {
      expect(Object.keys(before)).not.toContain(key);
    }
    secrets = { ASKED: 'two' };
    await write({ 'tools/b_tools.js': toolFile('b', '() => 1') });
    await source.reload();
    expect(await read()).toMatchObject({ ASKED: 'two' });
  });

  test('can be changed by the tool for itself alone', async () => {
    const { call } = await startExtension({
      'tools/a_tools.js': toolFile(
        'leak',
        '() => { process.env.LUNA_TEST_LEAK = "x"; return process.env.LUNA_TEST_LEAK; }',
      ),
    });
    expect(textOf(await call('leak'))).toBe('x');
    expect(process.env.LUNA_TEST_LEAK).toBeUndefined();
  });
});
