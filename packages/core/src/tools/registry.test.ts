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
