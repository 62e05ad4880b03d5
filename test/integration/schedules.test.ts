import { appendFile, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { hasPython } from '../../packages/core/test/fixtures/python.ts';
import { clientKinds, connectHttp, type TestClient } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf } from './support/homes.ts';
import { luna, type RunningLuna, repository, startLuna, temporaryFolder } from './support/luna-process.ts';

interface Run {
  readonly status: string;
  readonly origin: string;
  readonly times: number;
  readonly result?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

const hello = { 'extensions/a/tools/a_tools.js': fixedTool('hello', 'Hello!') };
const never = { cron: '0 0 1 1 *' };

async function asked(running: RunningLuna, method: string, path = '', body?: unknown) {
  const answer = await running.api(method, `schedules${path}`, body);
  return { status: answer.status, body: answer.status === 204 ? undefined : await answer.json() };
}

async function runsOf(running: RunningLuna, name: string): Promise<Run[]> {
  return (await asked(running, 'GET', `/${name}/runs`)).body.runs;
}

const textOf = async (client: TestClient, name: string, args: Record<string, unknown> = {}) =>
  (await client.call(name, args)).content.map(({ text }) => text).join('');

test('a schedule is made, shown, changed, run and deleted over HTTP, and tells of itself', async () => {
  const running = await startLuna(await homeOf(hello));
  const token = (await running.env()).SUPERVISOR_API_TOKEN;
  const stream = await fetch(`${running.url}/api/supervisor/events`, { headers: { authorization: `Bearer ${token}` } });
  const events: string[] = [];
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream.body ?? []) events.push(decoder.decode(chunk));
  })().catch(() => undefined);

  const definition = { name: 'greeting', action: { tool: 'hello' }, when: { every_seconds: 1 } };
  const made = await asked(running, 'POST', '', definition);
  expect(made).toMatchObject({ status: 201, body: { name: 'greeting', enabled: true, madeBy: { kind: 'api' } } });
  expect(await asked(running, 'POST', '', definition)).toMatchObject({ status: 409 });
  await eventually(async () => {
    expect(await runsOf(running, 'greeting')).toContainEqual(
      expect.objectContaining({ status: 'succeeded', origin: 'time', result: 'Hello!' }),
    );
  });
  const off = await asked(running, 'PATCH', '/greeting', { enabled: false, name: 'greeting 2' });
  expect(off.body).toMatchObject({ name: 'greeting 2', enabled: false });
  expect(off.body.nextAt).toBeUndefined();
  const ran = await asked(running, 'POST', `/${made.body.id}/run`, { wait: true });
  expect(ran).toMatchObject({ status: 200, body: { status: 'succeeded', origin: 'manual', result: 'Hello!' } });
  const { recentCalls } = await (await running.api('GET', 'status')).json();
  expect(recentCalls[0]).toMatchObject({ tool: 'hello', caller: { kind: 'schedule', name: 'greeting 2' } });
  expect((await asked(running, 'GET')).body.schedules).toHaveLength(1);
  expect(await asked(running, 'DELETE', '/greeting%202')).toMatchObject({ status: 204 });
  expect(await asked(running, 'GET', `/${made.body.id}`)).toMatchObject({ status: 404 });
  await eventually(() => {
    for (const type of ['schedules.changed', 'schedule.ran']) expect(events.join('')).toContain(`event: ${type}\n`);
  });

  const tested = await asked(running, 'POST', '/test', {
    when: { cron: '30 2 * * *', timezone: 'Europe/Berlin' },
  });
  expect(tested.body.times).toHaveLength(5);
  expect(tested.body.times[0].local).toMatch(/T0[23]:[03]0:00\+0[12]:00$/);
  expect((await asked(running, 'GET')).body.schedules).toHaveLength(0);
  expect((await fetch(`${running.url}/api/supervisor/schedules`)).status).toBe(401);
});

test('what does not fit is refused over HTTP, and nothing is kept', async () => {
  const running = await startLuna(await homeOf({}));
  const fitting = { name: 'x', action: { tool: 'hello' }, when: never };
  for (const [body, why] of [
    [{}, /name/],
    [{ ...fitting, name: 'a/b' }, /name/],
    [{ ...fitting, name: '__proto__' }, /name/],
    [{ ...fitting, when: { cron: 'often' } }, /often/],
    [{ ...fitting, when: { at: '2020-01-01T00:00:00Z' } }, /has passed/],
    [{ ...fitting, action: { prompt: 'Hi' } }, /either "tool" or "agent"/],
    ['a text', /body/],
  ] as const) {
    const refused = await asked(running, 'POST', '', body);
    const error = { code: 'invalid_input', message: expect.stringMatching(why) };
    expect(refused).toMatchObject({ status: 400, body: { error } });
  }
  expect((await asked(running, 'GET')).body.schedules).toEqual([]);
  expect(await asked(running, 'GET', '/x/runs?limit=0')).toMatchObject({ status: 400 });
  expect(await asked(running, 'POST', '/x/run', { wait: 'yes' })).toMatchObject({ status: 400 });
});

test('failures are kept with their reason: of a tool, of one that is gone, of agents that are not there', async () => {
  const running = await startLuna(
    await homeOf({
      'extensions/a/tools/a_tools.js':
        "export const TOOLS = [{ name: 'sulk', description: 'x', handler: () => [false, 'Not today.'] }];\n",
    }),
  );
  const outcome = async (name: string, action: object) => {
    await asked(running, 'POST', '', { name, action, when: never });
    return (await asked(running, 'POST', `/${name}/run`, { wait: true })).body;
  };
  expect(await outcome('sulking', { tool: 'sulk' })).toMatchObject({
    status: 'failed',
    errorCode: 'tool_failed',
    errorMessage: 'Not today.',
  });
  expect(await outcome('gone', { tool: 'no_such_tool' })).toMatchObject({ errorCode: 'tool_not_found' });
  expect(await outcome('prompting', { agent: 'helper', prompt: 'Hello?' })).toMatchObject({
    errorCode: 'not_found',
    errorMessage: expect.stringContaining('no agent, preset or model "helper"'),
  });
  expect(await outcome('speechless', { agent: 'simple_agent', prompt: 'Hello?' })).toMatchObject({
    errorCode: 'model_unavailable',
  });
});

describe('when Luna is killed', () => {
  test('a run that was under way is interrupted and not repeated; missed times follow their rule', async () => {
    const file = join(await temporaryFolder(), 'marks');
    const server = join(repository, 'test', 'integration', 'support', 'effect-server.ts');
    const servers = { effect: { command: process.execPath, args: [server, file] } };
    const home = await homeOf({ ...hello, 'master_config.json': JSON.stringify({ remote_mcp_servers: servers }) });
    const first = await startLuna(home);
    const hang = { tool: 'mark', args: { text: 'once', die: 'hang' } };
    const make = (name: string, rest: object) => asked(first, 'POST', '', { action: hang, when: never, name, ...rest });
    await make('working', { missed: 'run_once' });
    const missed = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 10 * 60_000);
    const atThatTime = { cron: `${missed.getUTCMinutes()} ${missed.getUTCHours()} * * *` };
    await make('made up for', { action: { tool: 'hello' }, when: atThatTime, missed: 'run_once' });
    await make('let go', { action: { tool: 'hello' }, when: atThatTime });
    const daily = await make('daily', { action: { tool: 'hello' }, when: { cron: '0 9 * * *' } });
    await asked(first, 'POST', '/working/run', { wait: false });
    await eventually(async () => expect(await readFile(file, 'utf8')).toBe('once\n'));
    expect(await runsOf(first, 'working')).toMatchObject([{ status: 'running' }]);
    const soon = new Date(Date.now() + 3_000).toISOString();
    await make('waiting', { action: { tool: 'hello' }, when: { at: soon } });
    await make('passing', { action: { tool: 'hello' }, when: { at: soon }, missed: 'skip' });
    await first.kill();
    // As if Luna had been away for more than ten minutes.
    const database = new DatabaseSync(join(home, '.luna', 'luna.db'));
    const away = database.prepare("UPDATE schedules SET next_at = ? WHERE name IN ('made up for', 'let go')");
    expect(away.run(missed.getTime()).changes).toBe(2);
    database.close();
    await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(soon) + 100));

    const second = await startLuna(home);
    expect(await runsOf(second, 'working')).toMatchObject([{ status: 'interrupted', origin: 'manual' }]);
    expect((await asked(second, 'GET', '/daily')).body).toEqual(daily.body);
    // Both times passed less than a minute ago: they are late, and not missed.
    await eventually(async () => {
      expect(await runsOf(second, 'waiting')).toMatchObject([{ status: 'succeeded', origin: 'time' }]);
      expect(await runsOf(second, 'passing')).toMatchObject([{ status: 'succeeded', origin: 'time' }]);
    });
    await eventually(async () => {
      expect(await runsOf(second, 'made%20up%20for')).toMatchObject([{ status: 'succeeded', origin: 'catch_up' }]);
    });
    expect(await runsOf(second, 'let%20go')).toMatchObject([{ status: 'missed', times: 1 }]);
    expect(await readFile(file, 'utf8')).toBe('once\n');
    expect((await asked(second, 'GET', '/waiting')).body.nextAt).toBeUndefined();
  });

  test('each schedule that was acknowledged is there afterwards', async () => {
    const home = await homeOf(hello);
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const running = await startLuna(home);
      const writing = (async () => {
        for (let index = 0; ; index++) {
          const name = `s-${round}-${index}`;
          const { status } = await asked(running, 'POST', '', { name, action: { tool: 'hello' }, when: never });
          if (status === 201) acknowledged.push(name);
        }
      })();
      const cut = writing.catch((error: Error) => error);
      const until = acknowledged.length + 5;
      await eventually(() => expect(acknowledged.length).toBeGreaterThan(until));
      await running.kill();
      expect(await cut).toBeInstanceOf(Error);
    }
    const last = await startLuna(home);
    const names = (await asked(last, 'GET')).body.schedules.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(acknowledged));
  });

  test('and when it is stopped in order, a run under way is interrupted too, without waiting for it', async () => {
    const file = join(await temporaryFolder(), 'marks');
    const server = join(repository, 'test', 'integration', 'support', 'effect-server.ts');
    const servers = { effect: { command: process.execPath, args: [server, file] } };
    const home = await homeOf({ 'master_config.json': JSON.stringify({ remote_mcp_servers: servers }) });
    const first = await startLuna(home);
    const action = { tool: 'mark', args: { text: 'once', die: 'hang' } };
    await asked(first, 'POST', '', { name: 'working', action, when: never });
    await asked(first, 'POST', '/working/run');
    await eventually(async () => expect(await readFile(file, 'utf8')).toBe('once\n'));
    expect(await first.stop()).toBe(0);
    const second = await startLuna(home);
    expect(await runsOf(second, 'working')).toMatchObject([
      { status: 'interrupted', errorMessage: expect.stringContaining('stopped') },
    ]);
  });
});

describe.each(clientKinds)('for %s', (kind) => {
  test('agents schedule what their hub allows, where it lets them, and only as long as it allows it', async () => {
    const config = {
      mcp_servers: {
        default: {},
        planner: {
          schedules: true,
          tool_config: {
            secret: { enabled_in_mcp: false },
            echo: { name: 'say', arguments: { to: { fixed: 'everybody' } } },
          },
        },
      },
    };
    const tools = `export const TOOLS = [
      { name: 'open', description: 'x', handler: () => 'open' },
      { name: 'secret', description: 'x', handler: () => 'secret' },
      { name: 'echo', description: 'x', parameters: { type: 'object', properties: { to: { type: 'string' } } },
        handler: ({ to }) => 'to ' + to },
    ];\n`;
    const running = await startLuna(
      await homeOf({ 'extensions/a/tools/a_tools.js': tools, 'master_config.json': JSON.stringify(config) }),
    );
    const stranger = await connectHttp(kind, running);
    expect((await stranger.tools()).map(({ name }) => name).sort()).toEqual(['echo', 'open', 'secret']);
    await expect(stranger.call('schedule_list')).rejects.toThrow(/Unknown tool/);

    const client = await connectHttp(kind, running, 'planner');
    const names = (await client.tools()).map(({ name }) => name).sort();
    expect(names).toEqual([
      'open',
      'say',
      'schedule_agents',
      'schedule_cancel',
      'schedule_list',
      'schedule_register',
      'schedule_run',
      'schedule_test',
    ]);
    const register = (name: string, action: object, when: object = { every_seconds: 60 }) =>
      client.call('schedule_register', { name, action, when });
    await register('opening', { tool: 'open' });
    await register('saying', { tool: 'say' });
    await register('sneaking', { tool: 'say', args: { to: 'nobody' } });
    await expect(register('a', { tool: 'secret' })).rejects.toThrow(/Unknown tool: secret/);
    await expect(register('a', { tool: 'echo' })).rejects.toThrow(/Unknown tool: echo/);
    await expect(register('a', { tool: 'open' }, { every_seconds: 5 })).rejects.toThrow(/once a minute/);
    await expect(register('a', { tool: 'open' }, { cron: '* * * * * *' })).rejects.toThrow(/once a minute/);
    await expect(register('a', { agent: 'helper', prompt: 'Hi' })).rejects.toThrow(/no agent "helper"/);
    await register('asking', { agent: 'direct_agent', prompt: 'open' });
    await register('asking for more', { agent: 'direct_agent', prompt: 'secret' });
    await register('asking otherwise', { agent: 'direct_agent', prompt: 'echo {"to":"nobody"}' });
    await expect(client.call('schedule_register', { name: 'a', action: { tool: 'open' }, when: never, hub: 'default' })) //
      .rejects.toThrow(/hub/);
    const { agents } = JSON.parse(await textOf(client, 'schedule_agents'));
    expect(agents).toContainEqual(expect.objectContaining({ name: 'direct_agent' }));

    await asked(running, 'POST', '', { name: 'private', action: { tool: 'secret' }, when: never });
    const listed = JSON.parse(await textOf(client, 'schedule_list')).schedules;
    expect(listed.map(({ name, hub }: { name: string; hub: string }) => [name, hub])).toEqual([
      ['opening', 'planner'],
      ['saying', 'planner'],
      ['sneaking', 'planner'],
      ['asking', 'planner'],
      ['asking for more', 'planner'],
      ['asking otherwise', 'planner'],
    ]);
    await expect(client.call('schedule_run', { name: 'private' })).rejects.toThrow(/no schedule "private"/);
    await expect(client.call('schedule_cancel', { name: 'private' })).rejects.toThrow(/no schedule "private"/);
    expect(JSON.parse(await textOf(client, 'schedule_run', { name: 'opening' }))).toMatchObject({ result: 'open' });
    expect(JSON.parse(await textOf(client, 'schedule_run', { name: 'saying' }))).toMatchObject({
      result: 'to everybody',
    });
    expect(await textOf(client, 'schedule_run', { name: 'sneaking' })).toContain('takes no argument');
    expect(JSON.parse(await textOf(client, 'schedule_run', { name: 'asking' }))).toMatchObject({ result: 'open' });
    for (const name of ['asking for more', 'asking otherwise'])
      expect(await textOf(client, 'schedule_run', { name })).toContain('tool_not_found');
    const times = JSON.parse(await textOf(client, 'schedule_test', { when: { cron: '0 9 * * *' } })).times;
    expect(times).toHaveLength(5);

    // The owner thinks otherwise: what was scheduled before does not get past it.
    const switched = { tool_config: { open: { enabled_in_mcp: false } } };
    expect((await running.api('PATCH', 'mcp-servers/planner', switched)).status).toBe(200);
    const byAdmin = async (name: string) => (await asked(running, 'POST', `/${name}/run`, { wait: true })).body;
    expect(await byAdmin('opening')).toMatchObject({ status: 'failed', errorCode: 'tool_not_found' });
    expect(await byAdmin('asking')).toMatchObject({ status: 'failed', errorCode: 'tool_not_found' });
    expect(await asked(running, 'PATCH', '/opening', { hub: null })).toMatchObject({ status: 409 });

    expect((await running.api('PATCH', 'mcp-servers/planner', { name: 'plans' })).status).toBe(200);
    expect((await asked(running, 'GET', '/saying')).body).toMatchObject({ hub: 'plans', madeBy: { name: 'plans' } });
    expect(await byAdmin('saying')).toMatchObject({ result: 'to everybody' });
    expect((await running.api('PATCH', 'mcp-servers/plans', { enabled: false })).status).toBe(200);
    expect(await byAdmin('saying')).toMatchObject({ errorMessage: 'The hub "plans" is switched off.' });
    expect((await running.api('DELETE', 'mcp-servers/plans')).status).toBe(204);
    const left = (await asked(running, 'GET')).body.schedules;
    expect(left.map(({ name }: { name: string }) => name)).toEqual(['private']);
  });
});

test('where a hub stops letting its clients make schedules, theirs do not run', async () => {
  const home = await homeOf({ ...hello, 'master_config.json': '{"mcp_servers":{"default":{"schedules":true}}}' });
  const running = await startLuna(home);
  const client = await connectHttp('client 2.x, 2026-07-28', running);
  await client.call('schedule_register', { name: 'mine', action: { tool: 'hello' }, when: { every_seconds: 60 } });
  const config = await (await running.api('GET', 'config/master')).json();
  config.mcp_servers.default.schedules = false;
  expect((await running.api('PUT', 'config/master', config)).status).toBe(200);
  expect((await client.tools()).map(({ name }) => name)).toEqual(['hello']);
  const { body } = await asked(running, 'POST', '/mine/run', { wait: true });
  expect(body).toMatchObject({ status: 'failed', errorCode: 'forbidden' });
});

test('a schedule of an administrator can be held to a hub', async () => {
  const config = { mcp_servers: { default: { tool_config: { hello: { enabled_in_mcp: false } } } } };
  const running = await startLuna(await homeOf({ ...hello, 'master_config.json': JSON.stringify(config) }));
  await asked(running, 'POST', '', { name: 'held', action: { tool: 'hello' }, when: never, hub: 'default' });
  const run = async () => (await asked(running, 'POST', '/held/run', { wait: true })).body;
  expect(await run()).toMatchObject({ errorCode: 'tool_not_found' });
  await asked(running, 'PATCH', '/held', { hub: null });
  expect(await run()).toMatchObject({ status: 'succeeded' });
});

test('presets hold schedules to their tools, and can be asked', async () => {
  const reader = { base_agent: 'direct_agent', tool_config: { hello: { enabled: true } } };
  const tools = fixedTool('hello', 'Hello!').replace(
    '];',
    ", { name: 'other', description: 'x', handler: () => 'x' }];",
  );
  const running = await startLuna(
    await homeOf({
      'extensions/a/tools/a_tools.js': tools,
      'master_config.json': JSON.stringify({ agent_presets: { reader } }),
    }),
  );
  const outcome = async (name: string, rest: object) => {
    await asked(running, 'POST', '', { name, when: never, ...rest });
    return (await asked(running, 'POST', `/${name}/run`, { wait: true })).body;
  };
  expect(await outcome('a', { action: { tool: 'hello' }, preset: 'reader' })).toMatchObject({ result: 'Hello!' });
  const other = { action: { tool: 'other' }, preset: 'reader' };
  expect(await outcome('b', other)).toMatchObject({ errorCode: 'tool_not_found' });
  expect(await outcome('c', { ...other, preset: 'none' })).toMatchObject({ errorCode: 'not_found' });
  expect(await outcome('d', { action: { agent: 'reader', prompt: 'hello' } })).toMatchObject({ result: 'Hello!' });
  expect(await outcome('e', { action: { agent: 'reader', prompt: 'other' } })).toMatchObject({
    errorCode: 'tool_not_found',
  });
  const { agents } = (await asked(running, 'GET', '/agents')).body;
  expect(agents).toContainEqual({ name: 'reader', description: 'A preset of direct_agent.' });
});

test('schedules are made and looked after from the terminal', async () => {
  const home = await homeOf(hello);
  const running = await startLuna(home);
  const schedule = (...args: string[]) => luna(['schedule', ...args, '--home', home]);
  expect((await schedule('list')).stdout).toContain('There is no schedule');
  const added = await schedule(
    'add',
    'greeting',
    '--tool',
    'hello',
    '--cron',
    '0 9 * * 1-5',
    '--timezone',
    'Asia/Tokyo',
  );
  expect(added.stdout).toMatch(/runs next \S+T09:00:00\+09:00/);
  expect((await schedule('list')).stdout).toMatch(/greeting +0 9 \* \* 1-5 Asia\/Tokyo .*calls hello/);
  const ran = await schedule('run', 'greeting');
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('Hello!')]);
  expect((await schedule('disable', 'greeting')).stdout).toContain('is off.');
  expect((await schedule('enable', 'greeting')).stdout).toContain('is on and runs next');
  const shown = await schedule('show', 'greeting', '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ name: 'greeting', runs: [{ status: 'succeeded' }] });
  expect((await schedule('show', 'greeting')).stdout).toContain('succeeded, manual');
  expect((await schedule('test', '--every', '15m')).stdout.trim().split('\n')).toHaveLength(5);
  const asking = await schedule('add', 'asking', '--agent', 'helper', '--prompt', 'Hi?', '--every', '1d', '--json');
  expect(JSON.parse(asking.stdout)).toMatchObject({ when: { every_seconds: 86_400 }, action: { prompt: 'Hi?' } });
  const failed = await schedule('run', 'asking');
  expect([failed.code, failed.stdout]).toEqual([2, expect.stringContaining('no agent, preset or model')]);
  expect((await schedule('remove', 'asking')).stdout).toContain('is gone');
  for (const [args, why] of [
    [['add', 'x', '--tool', 'hello'], /Say when/],
    [['add', 'x', '--tool', 'hello', '--every', 'often'], /--every takes a time/],
    [['add', 'x', '--tool', 'hello', '--args', '[1]', '--every', '1h'], /JSON object/],
    [['add', 'x', '--cron', '0 9 * * *'], /either "tool" or "agent"/],
    [['test', '--cron', '0 9 * * *', '--timezone', 'Mars/Base'], /time zone/],
    [['run', 'nothing'], /no schedule "nothing"/],
    [['remove', ''], /Name the schedule/],
  ] as const) {
    const refused = await schedule(...args);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(why)]);
  }
  expect(await running.stop()).toBe(0);
  // Each command is a process.
}, 120_000);

test.skipIf(!hasPython)(
  'the example plugin schedules by the API, and no more than its hub allows',
  async () => {
    const config = { mcp_servers: { default: { tool_config: { secret: { enabled_in_mcp: false } } } } };
    const tools = fixedTool('hello', 'Hello!').replace(
      '];',
      ", { name: 'secret', description: 'x', handler: () => 'told' }];",
    );
    const home = await homeOf({
      'extensions/a/tools/a_tools.js': tools,
      'master_config.json': JSON.stringify(config),
    });
    const plugin = join('plugins', 'promptyoself');
    await cp(join(repository, 'examples', 'home', plugin), join(home, plugin), { recursive: true });
    const running = await startLuna(home);
    await appendFile(join(home, '.env'), `\nLUNA_URL=${running.url}\n`);
    const client = await connectHttp('client 2.x, 2026-07-28', running);
    // The program is asked for what it can do; a busy machine takes its time.
    await eventually(async () => {
      expect((await client.tools()).map(({ name }) => name)).toContain('promptyoself_register');
    });
    const call = async (command: string, args: Record<string, unknown> = {}) => {
      const { isError = false, structuredContent, content } = await client.call(`promptyoself_${command}`, args);
      return isError ? content.map(({ text }) => text).join('') : structuredContent;
    };
    expect(
      await call('register', { name: 'hi', tool: 'hello', cron: '0 9 * * *', timezone: 'Asia/Tokyo' }),
    ).toMatchObject({
      hub: 'default',
      next: expect.stringContaining('T09:00:00+09:00'),
    });
    expect(await call('execute', { name: 'hi' })).toMatchObject({ status: 'succeeded', result: 'Hello!' });
    await call('register', { name: 'sly', tool: 'secret', every: 3600 });
    expect(await call('execute', { name: 'sly' })).toMatchObject({ status: 'failed', errorCode: 'tool_not_found' });
    await call('register', { name: 'ask', agent: 'helper', prompt: 'Hello?', time: '2099-01-01T00:00:00Z' });
    expect(await call('list')).toMatchObject({ schedules: [{ name: 'hi' }, { name: 'sly' }, { name: 'ask' }] });
    await asked(running, 'POST', '', { name: 'private', action: { tool: 'secret' }, when: never });
    for (const command of ['execute', 'cancel']) {
      expect(await call(command, { name: 'private' })).toContain('There is no schedule "private" here');
    }
    expect(await call('cancel', { name: 'hi' })).toEqual({ name: 'hi', status: 'cancelled' });
    expect(await call('test', { every: 60 })).toMatchObject({ times: { length: 5 } });
    expect(await call('test', { cron: 'often' })).toContain('cannot be read');
    expect(await call('register', { name: 'x', tool: 'hello' })).toContain('one of --cron, --time and --every');
    expect(await call('agents')).toMatchObject({
      agents: expect.arrayContaining([expect.objectContaining({ name: 'direct_agent' })]),
    });
    // Each call is a process.
  },
  120_000,
);
