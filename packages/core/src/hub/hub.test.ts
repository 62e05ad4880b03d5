import { setTimeout as passed } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { testSource, tool } from '../../test/test-source.ts';
import { record, type Selection, selectionOf, ToolPipeline, ToolRegistry, type ToolSource } from '../tools/index.ts';
import { McpHub, type McpHubOptions } from './hub.ts';

function hubOf(sources: readonly ToolSource[], options: Partial<McpHubOptions> = {}) {
  const registry = new ToolRegistry();
  for (const source of sources) registry.add(source);
  const hub = new McpHub({ name: 'test', registry, ...options });
  let changes = 0;
  hub.onToolsChanged(() => changes++);
  /** How often a change was told, once all that was to be told has been. */
  const told = async () => {
    // Timers run in the order of their times: those of the hub are over.
    await passed(10);
    return changes;
  };
  return { hub, registry, told };
}

const names = (hub: McpHub) => hub.tools.page().items.map(({ name }) => name);
const without = (hidden: string): Selection => selectionOf(new Map([[hidden, false]]));

describe('a hub', () => {
  test('shows what its selection holds, and refuses the rest', async () => {
    const { hub } = hubOf([testSource('s', [tool('a'), tool('b')])], { selection: without('b') });
    expect(names(hub)).toEqual(['a']);
    expect(await hub.callTool('a', { x: 1 })).toMatchObject({ structuredContent: { name: 'a', args: { x: 1 } } });
    await expect(hub.callTool('b', {})).rejects.toMatchObject({ code: 'tool_not_found' });
    await expect(hub.callTool('s__b', {})).rejects.toMatchObject({ code: 'tool_not_found' });
  });

  test('takes another selection at once, for lists and for calls', async () => {
    const { hub, told } = hubOf([testSource('s', [tool('a'), tool('b')])]);
    hub.select(without('a'));
    expect(names(hub)).toEqual(['b']);
    await expect(hub.callTool('a', {})).rejects.toMatchObject({ code: 'tool_not_found' });
    expect(await told()).toBe(1);
    hub.select(without('a'));
    expect(await told()).toBe(1);
  });

  test('tells once of changes at one time, and of none that its clients do not see', async () => {
    const source = testSource('s', [tool('a'), tool('hidden')]);
    const { hub, registry, told } = hubOf([source], { selection: without('hidden') });
    source.setTools([tool('a'), tool('hidden', { description: 'changed' })]);
    source.changed();
    expect(await told()).toBe(0);
    source.setTools([tool('a'), tool('b')]);
    source.setTools([tool('a'), tool('c')]);
    registry.add(testSource('t', [tool('d')]));
    expect(await told()).toBe(1);
    expect(names(hub)).toEqual(['a', 'c', 'd']);
    // There and back again before anybody was told.
    source.setTools([tool('x')]);
    source.setTools([tool('a'), tool('c')]);
    expect(await told()).toBe(1);
    source.setTools([tool('a', { description: 'new words' }), tool('c')]);
    expect(await told()).toBe(2);
  });

  test('tells nothing more once it is closed', async () => {
    const source = testSource('s', [tool('a')]);
    const { hub, told } = hubOf([source]);
    source.setTools([tool('b')]);
    hub.close();
    source.setTools([tool('c')]);
    expect(await told()).toBe(0);
  });

  test('calls through the pipeline, under its own name', async () => {
    const registry = new ToolRegistry();
    registry.add(testSource('s', [tool('a')]));
    const records: unknown[] = [];
    const pipeline = new ToolPipeline(registry).use(
      record(({ caller, tool: called }) => records.push({ caller, called })),
    );
    const hub = new McpHub({ name: 'research', registry, pipeline });
    await hub.callTool('a', undefined);
    expect(records).toEqual([{ caller: { kind: 'hub', name: 'research' }, called: 'a' }]);
  });

  test('shows tools that collide under their qualified names', async () => {
    const { hub, registry } = hubOf([testSource('one', [tool('a', { title: 'A' })])]);
    registry.add(testSource('two', [tool('a')]));
    expect(names(hub)).toEqual(['one__a', 'two__a']);
    expect(hub.tools.page().items[0]).toMatchObject({ title: 'A' });
    expect(await hub.callTool('two__a', {})).toMatchObject({ structuredContent: { name: 'a' } });
  });
});
