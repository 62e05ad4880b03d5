import { describe, expect, test } from 'vitest';
import { type TestSource, testSource, tool } from '../../test/test-source.ts';
import { LunaError } from '../errors/index.ts';
import { ToolPipeline } from './pipeline.ts';
import { ToolRegistry } from './registry.ts';
import { selectionOf } from './selection.ts';

function registryOf(...sources: TestSource[]): { registry: ToolRegistry; changes: () => number } {
  const registry = new ToolRegistry();
  for (const source of sources) registry.add(source);
  let changes = 0;
  registry.onChange(() => changes++);
  return { registry, changes: () => changes };
}

describe('a registry', () => {
  test('tells once of each change of the set, and not of health', () => {
    const one = testSource('one', [tool('a')]);
    const { registry, changes } = registryOf(one);
    one.changed();
    expect(changes()).toBe(0);
    one.setTools([tool('a'), tool('b')]);
    expect(changes()).toBe(1);
    expect([...registry.tools().keys()]).toEqual(['a', 'b']);
    registry.remove('one');
    registry.remove('one');
    expect(changes()).toBe(2);
    one.setTools([tool('c')]);
    expect(changes()).toBe(2);
    registry.add(testSource('two', [tool('b')]));
    expect(changes()).toBe(3);
  });

  test('shows the whole new set to who hears of a change, and nothing to who stopped listening', () => {
    const { registry } = registryOf(testSource('one', [tool('a')]));
    const seen: string[][] = [];
    const stop = registry.onChange(() => seen.push([...registry.tools().keys()]));
    // A swap: the same id with another list.
    registry.remove('one');
    registry.add(testSource('one', [tool('b'), tool('c')]));
    stop();
    registry.remove('one');
    expect(seen).toEqual([[], ['b', 'c']]);
    expect(registry.get('b')).toBeUndefined();
    expect(registry.sources()).toEqual([]);
  });

  test('lists sources in the order of their ids, whatever the order in which they came', () => {
    const { registry } = registryOf(testSource('b', [tool('y'), tool('x')]), testSource('a', [tool('z')]));
    expect(registry.sources().map(({ id }) => id)).toEqual(['a', 'b']);
    expect([...registry.tools().keys()]).toEqual(['z', 'y', 'x']);
    expect(registry.source('b')?.list()).toHaveLength(2);
    expect(registry.source('c')).toBeUndefined();
  });

  test('qualifies names while they collide, and finds tools by the qualified name at all times', () => {
    const { registry } = registryOf(testSource('one', [tool('a')]));
    expect(registry.get('a')).toBe(registry.get('one__a'));
    registry.add(testSource('two', [tool('a')]));
    expect([...registry.tools().keys()]).toEqual(['one__a', 'two__a']);
    expect(registry.get('a')).toBeUndefined();
    registry.remove('two');
    expect([...registry.tools().keys()]).toEqual(['a']);
  });

  test('refuses a second source of one id', () => {
    const { registry } = registryOf(testSource('one', []));
    expect(() => registry.add(testSource('one', []))).toThrow(LunaError);
    expect(() => registry.add(testSource('one', []))).toThrow('"one" is registered already');
  });
});

describe('a selection', () => {
  test('keeps a tool off when a collision renames it', () => {
    const { registry } = registryOf(testSource('one', [tool('a')]));
    const selection = selectionOf(new Map([['a', false]]));
    const seen = () => [...registry.tools().values()].filter(selection).map(({ name }) => name);
    expect(seen()).toEqual([]);
    registry.add(testSource('two', [tool('a'), tool('b')]));
    expect(seen()).toEqual(['b']);
  });

  test('keeps a tool off by the legal form of a name that is not legal', () => {
    const { registry } = registryOf(testSource('one', [tool('get it')]));
    const [shown = ''] = registry.tools().keys();
    const selection = selectionOf(new Map([[shown, false]]));
    const seen = () => [...registry.tools().values()].filter(selection);
    expect(seen()).toEqual([]);
    registry.add(testSource('two', [tool('get it')]));
    expect(seen()).toEqual([]);
  });

  test('prefers the qualified name, and falls back to the standard', () => {
    const { registry } = registryOf(testSource('one', [tool('a')]), testSource('two', [tool('a'), tool('b')]));
    const selection = selectionOf(
      new Map([
        ['a', false],
        ['two__a', true],
      ]),
      () => false,
    );
    expect([...registry.tools().values()].filter(selection).map(({ name }) => name)).toEqual(['two__a']);
  });
});

describe('a pipeline', () => {
  test('runs middleware in order, outermost first, and hands on what it changed', async () => {
    const { registry } = registryOf(testSource('one', [tool('a')]));
    const steps: string[] = [];
    const pipeline = new ToolPipeline(registry)
      .use(async (call, next) => {
        steps.push('first in');
        call.args = { changed: true };
        const result = await next();
        steps.push('first out');
        return result;
      })
      .use((_call, next) => {
        steps.push('second');
        return next();
      });
    const result = await pipeline.call({ name: 'a', args: { changed: false }, caller: { kind: 'test' } });
    expect(steps).toEqual(['first in', 'second', 'first out']);
    expect(result.structuredContent).toEqual({ name: 'a', args: { changed: true } });
  });

  test('refuses where a rule throws, before the source hears of the call', async () => {
    let called = 0;
    const source = testSource('one', [tool('a')], async () => ({ content: [], called: ++called }));
    const { registry } = registryOf(source);
    const pipeline = new ToolPipeline(registry).use(async (call, next) => {
      if (call.caller.kind === 'stranger') throw new LunaError('forbidden', 'Not for strangers.');
      return next();
    });
    await expect(pipeline.call({ name: 'a', caller: { kind: 'stranger' } })).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(called).toBe(0);
    expect(await pipeline.call({ name: 'a', caller: { kind: 'friend' } })).toEqual({ content: [], called: 1 });
  });

  test('calls the source by its own name, with signal, progress and meta of the caller', async () => {
    const calls: unknown[] = [];
    const source = testSource('one', [tool('a b')], async (name, args, call) => {
      calls.push({ name, args, meta: call.meta, withdrawn: call.signal.aborted });
      call.onProgress?.({ progress: 1, total: 2 });
      return { content: [] };
    });
    const { registry } = registryOf(source);
    const [name = ''] = registry.tools().keys();
    const heard: unknown[] = [];
    await new ToolPipeline(registry).call({
      name,
      caller: { kind: 'test' },
      meta: { trace: 'x' },
      onProgress: (progress) => heard.push(progress),
    });
    expect(calls).toEqual([{ name: 'a b', args: {}, meta: { trace: 'x' }, withdrawn: false }]);
    expect(heard).toEqual([{ progress: 1, total: 2 }]);
  });

  test('reaches a tool by its qualified name when its selection holds it, and only then', async () => {
    const { registry } = registryOf(testSource('one', [tool('a')]), testSource('two', [tool('a')]));
    const pipeline = new ToolPipeline(registry);
    const selection = selectionOf(new Map([['two__a', false]]));
    const ask = (name: string) => pipeline.call({ name, caller: { kind: 'test' }, selection });
    expect(await ask('one__a')).toMatchObject({ structuredContent: { name: 'a' } });
    await expect(ask('two__a')).rejects.toMatchObject({ code: 'tool_not_found', details: { tool: 'two__a' } });
    await expect(ask('a')).rejects.toMatchObject({ code: 'tool_not_found' });
  });

  test('does not tell an unknown tool from one that the selection does not hold', async () => {
    const { registry } = registryOf(testSource('one', [tool('a')]));
    const pipeline = new ToolPipeline(registry);
    const refusal = (name: string) =>
      pipeline.call({ name, caller: { kind: 'test' }, selection: () => false }).catch((error) => error);
    const [hidden, unknown] = [await refusal('a'), await refusal('b')];
    expect(hidden).toMatchObject({ code: 'tool_not_found', message: 'Unknown tool: a' });
    expect(unknown).toMatchObject({ code: 'tool_not_found', message: 'Unknown tool: b' });
  });
});
