import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientKinds, connectHttp, type TestClient } from './support/clients.ts';
import { homeOf } from './support/homes.ts';
import { startLuna } from './support/luna-process.ts';

const manifest = (rest: object = {}) => JSON.stringify({ description: 'A tool.', ...rest });
const names = async (client: TestClient) => (await client.tools()).map(({ name }) => name).sort();
const textOf = async (client: TestClient, name: string, args: Record<string, unknown> = {}) =>
  (await client.call(name, args)).content.map(({ text }) => text).join('');

describe.each(clientKinds)('for %s', (kind) => {
  test('a folder that is saved is a tool, an edit counts at once, a folder that goes takes it along', async () => {
    const luna = await startLuna(
      await homeOf({ 'lua/one/main.lua': 'return "one"', 'lua/one/mcp_tool.json': manifest() }),
    );
    const client = await connectHttp(kind, luna);
    expect(await names(client)).toEqual(['one']);
    const added = client.nextListChange();
    const folder = join(luna.home, 'lua', 'two');
    await mkdir(folder);
    await writeFile(join(folder, 'main.lua'), 'return tools.call("one", {}) .. " and two"');
    await writeFile(join(folder, 'mcp_tool.json'), manifest({ permissions: { tools: ['one'] } }));
    await added;
    expect(await textOf(client, 'two')).toBe('one and two');

    const changed = client.nextListChange();
    await writeFile(join(luna.home, 'lua', 'one', 'main.lua'), 'return "another"');
    await writeFile(join(luna.home, 'lua', 'one', 'mcp_tool.json'), manifest({ title: 'One' }));
    await changed;
    expect(await textOf(client, 'two')).toBe('another and two');

    const gone = client.nextListChange();
    await rm(folder, { recursive: true });
    await gone;
    expect(await names(client)).toEqual(['one']);
  });
});

test('state lasts over a restart', async () => {
  const home = await homeOf({ 'lua/count/main.lua': 'return state.incr("n")', 'lua/count/mcp_tool.json': manifest() });
  const first = await startLuna(home);
  const call = async (luna: typeof first) => {
    const answer = await luna.api('POST', 'tools/call', { name: 'count' });
    return (await answer.json()).result.content[0].text;
  };
  expect([await call(first), await call(first)]).toEqual(['1', '2']);
  await first.stop();
  expect(await call(await startLuna(home))).toBe('3');
});

test('a script calls other tools under the rules of every call, and not itself without end', async () => {
  const luna = await startLuna(
    await homeOf({
      'lua/loop/main.lua': 'return tools.call("loop", {})',
      'lua/loop/mcp_tool.json': manifest({ permissions: { tools: ['loop'] } }),
    }),
  );
  const answers = await Promise.all(Array.from({ length: 6 }, () => luna.api('POST', 'tools/call', { name: 'loop' })));
  for (const answer of answers) {
    const { result } = await answer.json();
    expect([result.isError, result.content[0].text]).toEqual([true, expect.stringContaining('8 times at most')]);
  }
  const { recentCalls } = await (await luna.api('GET', 'status')).json();
  expect(recentCalls).toContainEqual(expect.objectContaining({ caller: { kind: 'lua', name: 'loop' } }));
});

test('agents write tools where a hub allows it, with no more permissions than the owner gives', async () => {
  const luna = await startLuna(
    await homeOf({
      'master_config.json': JSON.stringify({
        luna: { lua_authoring_permissions: { network: { allowed_hosts: ['api.example.com'] } } },
        mcp_servers: { default: {}, workshop: { lua_authoring: true } },
      }),
    }),
  );
  const stranger = await connectHttp('client 2.x, 2026-07-28', luna);
  expect(await names(stranger)).toEqual([]);
  await expect(stranger.call('lua_tool_write', {})).rejects.toThrow(/Unknown tool/);

  const client = await connectHttp('client 2.x, 2026-07-28', luna, 'workshop');
  const tools = ['lua_tool_delete', 'lua_tool_read', 'lua_tool_test', 'lua_tool_write'];
  expect(await names(client)).toEqual(tools);
  const write = (name: string, script: string, rest: object = {}) =>
    client.call('lua_tool_write', { name, script, manifest: { description: 'Made here.', ...rest } });
  const parameters = [{ name: 'n', type: 'integer' }];
  expect(
    await textOf(client, 'lua_tool_write', {
      name: 'twice',
      script: 'return n * 2',
      manifest: { description: 'Doubles.', parameters },
    }),
  ).toContain('ready');
  expect(await textOf(client, 'twice', { n: 21 })).toBe('42');
  expect(await textOf(client, 'lua_tool_test', { name: 'twice', args: { n: 4 } })).toBe('8');
  expect(await textOf(client, 'lua_tool_read', { name: 'twice' })).toContain('return n * 2');

  const broken = await write('broken', 'return (');
  expect([broken.isError, broken.content[0]?.text]).toEqual([true, expect.stringContaining('main.lua:1:')]);
  for (const permissions of [
    { network: { allowed_hosts: ['evil.example'] } },
    { filesystem: { read: ['.env'] } },
    { env: ['SUPERVISOR_API_TOKEN'] },
    { tools: ['anything'] },
  ]) {
    await expect(write('greedy', 'return 1', { permissions })).rejects.toThrow(/lua_authoring_permissions/);
  }
  expect(
    (await write('modest', 'return 1', { permissions: { network: { allowed_hosts: ['api.example.com'] } } })).isError,
  ).not.toBe(true);
  for (const name of ['../evil', '/tmp/evil', 'a/b', '.hidden', '']) {
    await expect(write(name, 'return 1')).rejects.toThrow(/name/);
  }
  expect(await textOf(client, 'lua_tool_delete', { name: 'twice' })).toContain('deleted');
  expect(await names(client)).not.toContain('twice');
  await expect(client.call('lua_tool_read', { name: 'twice' })).rejects.toThrow(/no tool "twice"/);
});
