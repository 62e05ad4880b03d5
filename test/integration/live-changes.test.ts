import { writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ClientKind, clientKinds, connectHttp, type TestClient } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf, put, stdioServer } from './support/homes.ts';
import { luna, type RunningLuna, startLuna } from './support/luna-process.ts';

const names = async (client: TestClient) => (await client.tools()).map((tool) => tool.name).sort();

async function editConfig(running: RunningLuna, edit: (text: string) => string): Promise<void> {
  const file = join(running.home, 'master_config.json');
  writeFileSync(file, edit(await readFile(file, 'utf8')));
}

describe.each(clientKinds)('a connected client (%s) sees', (kind: ClientKind) => {
  test('an edited tool file, a new folder, a removed folder', async () => {
    const running = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.ts': fixedTool('first', '1') }));
    const client = await connectHttp(kind, running);
    expect(await names(client)).toEqual(['first']);

    let changed = client.nextListChange();
    await put(running.home, 'extensions/a/tools/a_tools.ts', fixedTool('second', '2'));
    await changed;
    expect(await names(client)).toEqual(['second']);

    changed = client.nextListChange();
    await put(running.home, 'extensions/b/tools/b_tools.ts', fixedTool('third', '3'));
    await changed;
    expect(await names(client)).toEqual(['second', 'third']);
    expect((await client.call('third')).content).toEqual([{ type: 'text', text: '3' }]);

    changed = client.nextListChange();
    await rm(join(running.home, 'extensions', 'b'), { recursive: true });
    await changed;
    expect(await names(client)).toEqual(['second']);
  });

  test('a tool switched off and on, by the API and by hand', async () => {
    const running = await startLuna(
      await homeOf({
        'extensions/a/tools/a_tools.js': fixedTool('a', 'A'),
        'extensions/b/tools/b_tools.js': fixedTool('b', 'B'),
      }),
    );
    const client = await connectHttp(kind, running);

    let changed = client.nextListChange();
    await running.api('PATCH', 'mcp-servers/default', { tool_config: { a: { enabled_in_mcp: false } } });
    await changed;
    expect(await names(client)).toEqual(['b']);
    await expect(client.call('a')).rejects.toThrow('Unknown tool: a');

    changed = client.nextListChange();
    await editConfig(running, (text) => text.replace('"enabled_in_mcp": false', '"enabled_in_mcp": true'));
    await changed;
    expect(await names(client)).toEqual(['a', 'b']);
  });
});

describe('a change', () => {
  test('leaves calls under way and other sources alone', async () => {
    const slow = `let release; export const TOOLS = [
      { name: 'hold', description: 'Waits for release.', handler: () => new Promise((done) => { release = done; }) },
      { name: 'release', description: 'Releases.', handler: () => { release('held by the old version'); return 'ok'; } },
    ];\n`;
    const running = await startLuna(
      await homeOf({
        'extensions/slow/tools/slow_tools.js': slow,
        'master_config.json': JSON.stringify({ remote_mcp_servers: { one: stdioServer, two: stdioServer } }),
      }),
    );
    const client = await connectHttp('sdk 1.x, 2025-11-25', running);
    const pidOf = async (server: string) => (await client.call(`${server}__pid`)).content[0]?.text;
    const [one, two] = [await pidOf('one'), await pidOf('two')];
    const held = client.call('hold');
    // The release is called on the old version too: it is the only one that is loaded until the file changes.
    const gone = client.nextListChange();
    await editConfig(running, (text) => text.replace('"one":', '"three":'));
    await gone;
    await eventually(async () => expect(await names(client)).toContain('three__pid'));
    expect(await names(client)).not.toContain('one__pid');
    expect(await pidOf('two')).toBe(two);
    await eventually(() => expect(() => process.kill(Number(one), 0)).toThrow());
    await client.call('release');
    expect((await held).content[0]?.text).toBe('held by the old version');
  });

  test('of a file that is being called swaps under it: old calls end in the old version', async () => {
    const version = (
      text: string,
    ) => `export const TOOLS = [{ name: 'work', description: 'Works until a file is there.', handler: async ({ file }, { signal }) => {
      const { existsSync } = await import('node:fs');
      while (file && !existsSync(file) && !signal.aborted) await new Promise((next) => setTimeout(next, 10));
      return '${text}';
    } }, { name: '${text}', description: 'Names the version.', handler: () => '' }];\n`;
    const running = await startLuna(await homeOf({ 'extensions/w/tools/w_tools.js': version('old') }));
    const client = await connectHttp('sdk 1.x, 2025-11-25', running);
    const file = join(running.home, 'go');
    const underWay = client.call('work', { file });
    const changed = client.nextListChange();
    await put(running.home, 'extensions/w/tools/w_tools.js', version('new'));
    await changed;
    expect((await client.call('work')).content[0]?.text).toBe('new');
    await put(running.home, 'go', '');
    expect((await underWay).content[0]?.text).toBe('old');
  });

  test('that is broken is reported with file and line, and the last good version goes on', async () => {
    const running = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.ts': fixedTool('a', 'good') }));
    const client = await connectHttp('client 2.x, 2026-07-28', running);
    await put(
      running.home,
      'extensions/a/tools/a_tools.ts',
      'export const TOOLS = [\n  { name: "a",\n    description "broken" },\n];\n',
    );
    const health = await eventually(async () => {
      const { sources } = await (await running.api('GET', 'status')).json();
      expect(sources[0].health.status).toBe('degraded');
      return sources[0].health;
    });
    expect(health.reason).toContain('a_tools.ts:3');
    expect((await client.call('a')).content[0]?.text).toBe('good');
    await put(running.home, 'extensions/a/tools/a_tools.ts', fixedTool('a', 'better'));
    await eventually(async () => expect((await client.call('a')).content[0]?.text).toBe('better'));
  });

  test('of the configuration that is broken is reported, and nothing of the file is lost', async () => {
    const running = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
    const client = await connectHttp('sdk 1.x, 2025-11-25', running);
    const file = join(running.home, 'master_config.json');
    const good = await readFile(file, 'utf8');
    const broken = good.replace('"mcp_servers": {', '"mcp_servers": [');
    expect(broken).not.toBe(good);
    writeFileSync(file, broken);
    const { config } = await eventually(async () => {
      const status = await (await running.api('GET', 'status')).json();
      expect(status.config.valid).toBe(false);
      return status;
    });
    expect(config.error).toMatch(/master_config\.json:\d+:\d+: /);
    expect(await names(client)).toEqual(['a']);
    const refused = await running.api('POST', 'mcp-servers', { name: 'new' });
    expect(refused.status).toBe(422);
    expect(await readFile(file, 'utf8')).toBe(broken);
    writeFileSync(file, good);
    await eventually(async () => expect((await running.api('POST', 'mcp-servers', { name: 'new' })).status).toBe(201));
  });
});

test('a folder or a file whose name no source can have is told, once', async () => {
  const running = await startLuna(await homeOf({ 'extensions/my tools/tools/a_tools.js': fixedTool('a', 'A') }));
  await put(running.home, 'plugins/my plugin/cli.sh', 'echo');
  await put(running.home, 'http/my service.yaml', '');
  const told = async () => {
    const { stdout } = await luna(['logs', 'luna', '--home', running.home]);
    return stdout.split('\n').filter((line) => line.includes('is left out for its name'));
  };
  await eventually(async () => expect(await told()).toHaveLength(3));
  await put(running.home, 'extensions/b/tools/b_tools.js', fixedTool('b', 'B'));
  await eventually(async () => {
    const { sources } = await (await running.api('GET', 'status')).json();
    expect(sources).toMatchObject([{ id: 'b', health: { status: 'ready' } }]);
  });
  expect(await told()).toHaveLength(3);
  expect((await told())[0]).toContain('extensions/my tools is left out');
});
