import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf, put, stdioServer } from './support/homes.ts';
import { luna as command, launchLuna, type RunningLuna, repository } from './support/luna-process.ts';
import { PersonInBrowser } from './support/person.ts';

type Event = { type: string; [key: string]: unknown };

async function bearer(luna: RunningLuna): Promise<Record<string, string>> {
  return { authorization: `Bearer ${(await luna.env()).SUPERVISOR_API_TOKEN}` };
}

/** The events of a Luna from now on. */
async function eventsOf(luna: RunningLuna): Promise<{ events: Event[]; ended: Promise<void> }> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const answer = await fetch(`${luna.url}/api/supervisor/events`, { headers: await bearer(luna), signal: stop.signal });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const events: Event[] = [];
  const read = async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, name, data] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? [];
        if (data === undefined) continue;
        const event: Event = JSON.parse(data);
        expect(event.type).toBe(name);
        events.push(event);
      }
    }
  };
  return { events, ended: read().catch(() => undefined) };
}

describe('health', () => {
  test('is ready once it is, and tells while it ends', async () => {
    // A child that does not end before it may keeps Luna in between for long enough to look.
    const slow = `const { existsSync } = require('node:fs');
      process.on('SIGTERM', () => setInterval(() => existsSync('may-end') && process.exit(0), 20)); setInterval(() => {}, 1000);`;
    const home = await homeOf({});
    await put(
      home,
      'master_config.json',
      JSON.stringify({ remote_mcp_servers: { slow: { command: process.execPath, args: ['-e', slow], cwd: home } } }),
    );
    const luna = await launchLuna(home, { isImpatient: true });
    for (const path of ['health', 'healthz', 'readyz', 'api/supervisor/health']) {
      const answer = await fetch(`${luna.url}/${path}`);
      expect([answer.status, (await answer.json()).status]).toEqual([200, 'ok']);
    }
    const stopped = luna.stop();
    const seen: number[] = [];
    await eventually(async () => {
      const answer = await fetch(`${luna.url}/readyz`);
      seen.push(answer.status);
      expect(await answer.json()).toMatchObject({ status: 'stopping' });
    });
    expect(seen.at(-1)).toBe(503);
    const alive = await fetch(`${luna.url}/healthz`);
    expect([alive.status, (await alive.json()).status]).toEqual([200, 'stopping']);
    const refused = await fetch(`${luna.url}/api/supervisor/status`, { headers: await bearer(luna) });
    expect([refused.status, (await refused.json()).error.code]).toEqual([503, 'not_running']);
    await put(home, 'may-end', '');
    expect(await stopped).toBe(0);
  });
});

describe('events', () => {
  test('tell of each source that changes, of calls with their request, of clients, and of the end', async () => {
    const luna = await launchLuna(await homeOf({}));
    const { events, ended } = await eventsOf(luna);
    await luna.api('POST', 'remote-mcp/add', { id: 'server', ...stdioServer });
    await luna.api('POST', 'tools/call', { name: 'echo', args: { text: 'x' } });
    await luna.api('PATCH', 'remote-mcp/server', { enabled: false });
    const of = (type: string) => events.filter((event) => event.type === type);
    await eventually(() => expect(of('source.changed').at(-1)).toMatchObject({ status: 'stopped' }));
    expect(of('source.changed').map(({ source, status, before }) => [source, status, before])).toEqual([
      ['server', 'starting', undefined],
      ['server', 'ready', 'starting'],
      ['server', 'stopped', 'ready'],
    ]);
    expect(of('call.ended')).toEqual([
      expect.objectContaining({ call: expect.objectContaining({ tool: 'echo', requestId: expect.any(String) }) }),
    ]);
    await put(luna.home, 'master_config.json', '{');
    await eventually(() => expect(of('config.changed').at(-1)).toMatchObject({ valid: false }));
    expect(events[0]).toMatchObject({ type: 'hello', version: expect.any(String) });
    expect(await luna.stop()).toBe(0);
    await ended;
    expect(events.at(-1)).toEqual({ type: 'stopping' });
  });

  test('are for an administrator, and only so many streams at one time', async () => {
    const luna = await launchLuna(await homeOf({}));
    expect((await fetch(`${luna.url}/api/supervisor/events`)).status).toBe(401);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const headers = await bearer(luna);
    const open = (path = 'events') => fetch(`${luna.url}/api/supervisor/${path}`, { headers, signal: stop.signal });
    const opened = await Promise.all(Array.from({ length: 100 }, () => open()));
    expect(new Set(opened.map(({ status }) => status))).toEqual(new Set([200]));
    for (const path of ['events', 'logs?follow=true']) {
      const refused = await open(path);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
    }
    // One that goes makes room.
    await opened[0]?.body?.cancel();
    await eventually(async () => expect((await open()).status).toBe(200));
  });
});

describe('the log', () => {
  test('is read by people with luna logs, and by programs over HTTP, from its end and on', async () => {
    const luna = await launchLuna(
      await homeOf({
        'extensions/one/tools/one_tools.js': `export const TOOLS = [{ name: 'say', description: 'Says.', handler: ({ text }) => { console.log(text); return 'ok'; } }];\n`,
      }),
    );
    const say = (text: string) => luna.api('POST', 'tools/call', { name: 'say', args: { text } });
    await say('first words');
    const stop = new AbortController();
    const followed = await fetch(`${luna.url}/api/supervisor/logs?source=one&lines=5&follow=true`, {
      headers: await bearer(luna),
      signal: stop.signal,
    });
    expect(followed.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    let text = '';
    const reading = (async () => {
      for await (const chunk of followed.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    await say('second words');
    await eventually(() => expect(text).toMatch(/first words[\s\S]*second words/));
    expect(text).not.toContain('"from":"luna"');
    stop.abort();
    await reading;

    const at = ['--home', luna.home];
    const shown = await command(['logs', 'one', ...at]);
    expect(shown.stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO {2}one +first words\n.*second words\n$/);
    expect((await command(['logs', 'luna', ...at])).stdout).toMatch(/ready/);
    const raw = await command(['logs', '--json', '--lines', '1', ...at]);
    expect(JSON.parse(raw.stdout)).toMatchObject({ time: expect.any(Number) });
    expect(await luna.stop()).toBe(0);
    // Also when nothing runs, which is when one wants to know.
    expect((await command(['logs', ...at])).stdout).toMatch(/stopping[\s\S]*stopped/);
    expect((await command(['logs', 'nobody', ...at])).stderr).toContain('is from "nobody"');
    await appendFile(join(luna.home, 'logs', 'own.log'), 'a line of a program\n\x1b[2Jwith a command for terminals\n');
    const own = await command(['logs', 'own', ...at]);
    expect(own.stdout).toContain('a line of a program\n');
    expect(own.stdout).not.toContain('\x1b');
  });

  test('is followed by luna logs -f', async () => {
    const luna = await launchLuna(await homeOf({}));
    const launcher = join(repository, 'packages', 'server', 'bin', 'luna.mjs');
    const child = spawn(process.execPath, [launcher, 'logs', '-f', 'luna', '--home', luna.home]);
    onTestFinished(() => void child.kill('SIGKILL'));
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await eventually(() => expect(text).toContain('ready'));
    await luna.stop();
    await eventually(() => expect(text).toContain('stopped'));
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(0);
  });

  test('is not asked for with what makes no sense', async () => {
    const luna = await launchLuna(await homeOf({}));
    const queries = [
      'lines=-1',
      'lines=x',
      'lines=10001',
      'follow=perhaps',
      'source=../../etc/passwd',
      'source=a%20b',
      'source=',
    ];
    for (const query of queries) {
      const refused = await luna.api('GET', `logs?${query}`);
      expect([query, refused.status, (await refused.json()).error.code]).toEqual([query, 400, 'invalid_input']);
    }
  });

  test('is nobody else’s', async () => {
    const luna = await launchLuna(await homeOf({}));
    expect((await fetch(`${luna.url}/api/supervisor/logs`)).status).toBe(401);
    const person = new PersonInBrowser(luna.url);
    await person.signInByLink(luna);
    expect((await person.send('GET', '/api/supervisor/logs')).status).toBe(200);
  });

  test('has the level that was asked for, and is set aside when it has grown', async () => {
    const home = await homeOf({
      '.env': 'LUNA_LOG_LEVEL=debug\nLUNA_LOG_MAX_BYTES=10000\nLUNA_LOG_FILES=2\n',
      'extensions/a/tools/a_tools.js': fixedTool('a', 'A'),
    });
    const luna = await launchLuna(home);
    const logs = async () => (await readdir(join(home, 'logs'))).filter((name) => name.startsWith('luna.log')).sort();
    await eventually(async () => {
      await Promise.all(Array.from({ length: 20 }, () => luna.api('GET', 'status')));
      expect(await logs()).toEqual(['luna.log', 'luna.log.1', 'luna.log.2']);
    });
    await luna.stop();
    const quiet = await launchLuna(home, { env: { LUNA_LOG_LEVEL: 'warn' } });
    await quiet.api('GET', 'status');
    await quiet.stop();
    const last = (await readFile(join(home, 'logs', 'luna.log'), 'utf8')).trimEnd().split('\n').at(-1) ?? '{}';
    expect(JSON.parse(last).msg).toBe('stopped');
    for (const [name, value] of [
      ['LUNA_LOG_LEVEL', 'loud'],
      ['LUNA_LOG_MAX_BYTES', '10'],
      ['LUNA_LOG_FILES', '0'],
    ] as const) {
      const refused = await command(['start', '--home', home, '--port', '0'], { env: { [name]: value } });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is not legal') });
    }
  });

  test.each([['--lines', '-1'], ['--lines', 'many'], ['../.env', '--lines', '1'], ['.env']])(
    'luna logs %s is refused',
    async (...args) => {
      const refused = await command(['logs', ...args, '--home', await homeOf({})]);
      expect(refused.code).toBe(1);
      expect(refused.stdout).toBe('');
    },
  );
});
