import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixedTool, homeOf, stdioServer } from './support/homes.ts';
import { launchLuna, luna } from './support/luna-process.ts';

const commands = ['start', 'status', 'tools', 'call', 'import', 'link', 'mcp'];

describe('the luna command', () => {
  test('every command explains itself and has --json', async () => {
    for (const command of commands) {
      const help = await luna([command, '--help']);
      expect(help, command).toMatchObject({ code: 0, stdout: expect.stringContaining('--json') });
    }
    for (const command of ['list', 'create', 'rename', 'enable', 'disable', 'delete', 'key']) {
      const help = await luna(['hub', command, '--help']);
      expect(help, command).toMatchObject({ code: 0, stdout: expect.stringContaining('--json') });
    }
    expect((await luna(['--help'])).stdout).toContain('start');
    expect((await luna(['nonsense'])).code).toBe(1);
  });

  test('shows and calls what runs', async () => {
    const failing = `export const TOOLS = [{ name: 'fail', description: 'Fails.', handler: () => [false, 'no luck'] }];\n`;
    const running = await launchLuna(
      await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A'), 'extensions/f/tools/f_tools.js': failing }),
    );
    const at = ['--home', running.home];
    expect(JSON.parse((await luna(['status', '--json', ...at])).stdout)).toMatchObject({
      url: running.url,
      toolCount: 2,
    });
    expect((await luna(['status', ...at])).stdout).toContain(running.url);
    expect(
      JSON.parse((await luna(['tools', '--json', ...at])).stdout).map((tool: { name: string }) => tool.name),
    ).toEqual(['a', 'fail']);
    expect(await luna(['call', 'a', ...at])).toEqual({ code: 0, stdout: 'A\n', stderr: '' });
    expect(JSON.parse((await luna(['call', 'a', '{}', '--json', ...at])).stdout)).toMatchObject({
      result: { content: [{ text: 'A' }] },
    });
    expect(await luna(['call', 'fail', ...at])).toEqual({ code: 2, stdout: 'no luck\n', stderr: '' });
    expect(await luna(['call', 'b', ...at])).toMatchObject({ code: 1, stderr: 'luna: Unknown tool: b\n' });
    expect(await luna(['call', 'a', '{no', ...at])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not valid JSON'),
    });
    expect(await luna(['call', 'a', '[1]', ...at])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('JSON object'),
    });
    expect(JSON.parse((await luna(['call', 'b', '--json', ...at])).stderr)).toMatchObject({
      error: { message: 'Unknown tool: b' },
    });
    expect(await luna(['mcp', 'other', ...at])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no hub "other"'),
    });
  });

  test('makes and changes hubs', async () => {
    const running = await launchLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
    const at = ['--home', running.home];
    const hub = (...args: string[]) => luna(['hub', ...args, ...at]);
    const json = async (...args: string[]) => JSON.parse((await hub(...args, '--json')).stdout);

    const made = await json('create', 'team');
    expect(made).toMatchObject({ name: 'team', url: `${running.url}/api/mcp-team` });
    expect((await hub('key', 'team')).stdout).toBe(`${made.apiKey}\n`);
    const list = await json('list');
    expect(list.map(({ name }: { name: string }) => name)).toEqual(['default', 'main', 'team']);
    expect(JSON.stringify(list)).not.toContain(made.apiKey);
    expect((await hub('list')).stdout).toContain(`${running.url}/api/mcp-team`);

    expect(await hub('rename', 'team', 'crew')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('/api/mcp-crew'),
    });
    expect((await json('key', 'crew')).apiKey).toBe(made.apiKey);
    expect((await json('key', 'crew', '--regenerate')).apiKey).not.toBe(made.apiKey);
    expect(await hub('disable', 'crew')).toMatchObject({ code: 0, stdout: 'The hub "crew" is off.\n' });
    expect(await json('enable', 'crew')).toMatchObject({ name: 'crew', enabled: true });
    expect(await hub('delete', 'crew')).toMatchObject({ code: 0 });

    const quiet = await hub('create', 'quiet', '--hide-key');
    expect(quiet.stdout).toContain('cannot be shown again');
    expect(await hub('key', 'quiet')).toMatchObject({ code: 1, stderr: expect.stringContaining('--regenerate') });
    for (const args of [
      ['key', 'none'],
      ['rename', 'none', 'x'],
      ['delete', 'none'],
      ['disable', 'none'],
    ])
      expect(await hub(...args), args[0]).toMatchObject({ code: 1, stderr: expect.stringContaining('no hub "none"') });
    expect(await hub('create', 'Not A Name')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cannot be the name'),
    });
    expect(await luna(['tools', '--hub', 'none', ...at])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no hub "none"'),
    });
    expect((await luna(['tools', '--hub', 'default', ...at])).stdout).toContain('a  a  Answers.');
  });

  test('says that nothing runs, and where a home is missing', async () => {
    const home = await homeOf({});
    for (const args of [['status'], ['tools'], ['call', 'x'], ['link'], ['mcp']]) {
      expect(await luna([...args, '--home', home])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('npx luna start'),
      });
    }
    expect(await luna(['status'], { cwd: home })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not a home of Luna'),
    });
  });

  test('makes no home where somebody mistyped the name of one', async () => {
    const home = await homeOf({ file: '' });
    for (const args of [['export'], ['keys', 'list'], ['keys', 'required']]) {
      expect(await luna([...args, '--home', join(home, 'typo')])).toMatchObject({
        code: 1,
        stdout: '',
        stderr: `luna: There is no home at ${join(home, 'typo')}.\n`,
      });
    }
    expect(await readdir(home)).not.toContain('typo');
    for (const args of [['start'], ['status'], ['export']]) {
      expect(await luna([...args, '--home', join(home, 'file')])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('file is no folder'),
      });
    }
  });

  test('imports the servers of other clients, while Luna runs and while it does not', async () => {
    const document = {
      mcpServers: { test: stdioServer, web: { type: 'http', url: 'http://127.0.0.1:9/mcp' }, odd: {} },
    };
    const home = await homeOf({
      'servers.json': JSON.stringify(document),
      'more.json': JSON.stringify({ servers: { second: stdioServer, test: stdioServer } }),
    });
    const offline = JSON.parse((await luna(['import', join(home, 'servers.json'), '--home', home, '--json'])).stdout);
    expect(offline).toEqual({
      added: ['test', 'web'],
      missing: [],
      notes: [expect.stringContaining('"web" lies inside')],
      skipped: [{ name: 'odd', reason: 'it has neither "url" nor "command"' }],
    });
    const running = await launchLuna(home);
    const live = JSON.parse((await luna(['import', join(home, 'more.json'), '--home', home, '--json'])).stdout);
    expect(live).toEqual({
      added: ['second'],
      missing: [],
      notes: [],
      skipped: [{ name: 'test', reason: expect.any(String) }],
    });
    const { servers } = await (await running.api('GET', 'remote-mcp/list')).json();
    expect(
      servers.map((server: { id: string; health: { status: string } }) => [server.id, server.health.status]),
    ).toEqual([
      ['test', 'ready'],
      ['web', 'down'],
      ['second', 'ready'],
    ]);
    expect(await luna(['import', join(home, 'none.json'), '--home', home])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('none.json'),
    });
  });

  test('writes no key to the log', async () => {
    const running = await launchLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
    await running.api('POST', 'tools/call', { name: 'a' });
    await running.stop();
    const log = await readFile(join(running.home, 'logs', 'luna.log'), 'utf8');
    expect(log).toContain('ready');
    for (const [name, value] of Object.entries(await running.env())) expect(log, name).not.toContain(value);
  });
});
