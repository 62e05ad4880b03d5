import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { testSource, tool } from '../../test/test-source.ts';
import { ToolRegistry } from '../tools/index.ts';
import { McpHub } from './hub.ts';
import { shortName, type ToolOverride } from './tool-view.ts';

const schema = {
  type: 'object',
  properties: {
    query: { type: 'string', description: 'What to look for.' },
    limit: { type: 'integer' },
    tenant: { type: 'string' },
  },
  required: ['query', 'limit', 'tenant'],
  additionalProperties: false,
};

function hubOf(overrides: Record<string, ToolOverride>, names: readonly string[] = ['search'], maxNameLength?: number) {
  const registry = new ToolRegistry();
  registry.add(
    testSource(
      's',
      names.map((name) => tool(name, { inputSchema: schema })),
    ),
  );
  return new McpHub({
    name: 'test',
    registry,
    overrides: { of: ({ name }) => overrides[name], ...(maxNameLength !== undefined && { maxNameLength }) },
  });
}

const shown = (hub: McpHub) => hub.tools.page().items;
const argsOf = async (hub: McpHub, name: string, args: Record<string, unknown>) =>
  ((await hub.callTool(name, args)).structuredContent as { args: unknown }).args;

describe('a hub shows a tool otherwise', () => {
  test('under another name, which is the only one', async () => {
    const hub = hubOf({ search: { name: 'find', title: 'Find', description: 'Finds.' } });
    expect(shown(hub)).toMatchObject([{ name: 'find', title: 'Find', description: 'Finds.', inputSchema: schema }]);
    expect(await argsOf(hub, 'find', { query: 'x' })).toEqual({ query: 'x' });
    for (const name of ['search', 's__search']) {
      await expect(hub.callTool(name, {})).rejects.toMatchObject({ code: 'tool_not_found' });
    }
  });

  test('with arguments that have other words, a default, a value of their own, or are not there', async () => {
    const hub = hubOf({
      search: {
        arguments: {
          query: { description: 'A word.' },
          limit: { default: 10 },
          tenant: { fixed: 'ours' },
        },
      },
    });
    expect(shown(hub)[0]?.inputSchema).toEqual({
      type: 'object',
      properties: {
        query: { type: 'string', description: 'A word.' },
        limit: { type: 'integer', default: 10 },
      },
      required: ['query'],
      additionalProperties: false,
    });
    expect(await argsOf(hub, 'search', { query: 'x' })).toEqual({ query: 'x', limit: 10, tenant: 'ours' });
    expect(await argsOf(hub, 'search', { query: 'x', limit: 3 })).toEqual({ query: 'x', limit: 3, tenant: 'ours' });
    await expect(hub.callTool('search', { query: 'x', tenant: 'theirs' })).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });

  test('a hidden argument is neither seen nor taken, and is left to the source', async () => {
    const hub = hubOf({ search: { arguments: { limit: { hidden: true }, tenant: { hidden: true, default: 'a' } } } });
    expect(Object.keys(shown(hub)[0]?.inputSchema.properties as object)).toEqual(['query']);
    expect(await argsOf(hub, 'search', { query: 'x' })).toEqual({ query: 'x', tenant: 'a' });
    await expect(hub.callTool('search', { limit: 3 })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test('an argument called as one of all objects is no hole', async () => {
    const hub = hubOf({
      search: { arguments: { ['__proto__']: { fixed: { polluted: true } }, constructor: { default: 1 } } },
    });
    await argsOf(hub, 'search', { query: 'x' });
    expect({}).not.toHaveProperty('polluted');
  });

  test('two tools cannot have one name', async () => {
    const hub = hubOf({ b: { name: 'a' }, c: { name: 'd' }, e: { name: 'd' } }, ['a', 'b', 'c', 'e']);
    expect(shown(hub).map(({ name }) => name)).toEqual(['a', 'b', 'd', 'e']);
    expect(hub.tools.warnings).toHaveLength(2);
    expect(await hub.callTool('d', {})).toMatchObject({ structuredContent: { name: 'c' } });
    expect(await hub.callTool('e', {})).toMatchObject({ structuredContent: { name: 'e' } });
  });

  test('names can be swapped away and taken over only if nobody has them', async () => {
    const hub = hubOf({ a: { name: 'b' }, b: { name: 'a' } }, ['a', 'b']);
    expect(shown(hub).map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('names within a length', () => {
  test('stay as they are, or become short with the whole name beside', async () => {
    const long = 'a_rather_long_name_of_a_tool_that_lists';
    const hub = hubOf({}, ['short', `${long}_one`, `${long}_two`], 24);
    const list = shown(hub);
    expect(list.map(({ name }) => name.length <= 24)).toEqual([true, true, true]);
    expect(list.map(({ title }) => title)).toEqual([undefined, `${long}_one`, `${long}_two`]);
    expect(await hub.callTool(list[1]?.name ?? '', {})).toMatchObject({ structuredContent: { name: `${long}_one` } });
  });

  test('are as different as the whole ones, and always the same', () => {
    // Alike for as long as they are shown, and different somewhere behind.
    const tails = Array.from({ length: 20_000 }, (_, index) =>
      createHash('sha256').update(String(index)).digest('hex'),
    );
    const names = new Set(tails.map((tail, index) => `prefix_of_all_the_tools_${tail.slice(index % 30)}`));
    const short = new Set([...names].map((name) => shortName(name, 32)));
    expect(short.size).toBe(names.size);
    for (const name of short) expect(name).toMatch(/^[A-Za-z0-9_]{1,32}$/);
    for (const name of [...names].slice(0, 100)) expect(shortName(name, 32)).toBe(shortName(name, 32));
  });
});
