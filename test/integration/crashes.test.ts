import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { identify } from '@luna/core/supervisor';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectHttp, connectStdio } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf, stdioServer } from './support/homes.ts';
import { launchLuna, luna } from './support/luna-process.ts';

const withServer = (servers: Record<string, unknown>) => ({
  'master_config.json': JSON.stringify({ remote_mcp_servers: servers }),
});
/** One that has ended and that nobody has asked about does not run. */
const runs = async (pid: number) => (await identify(pid)) !== undefined;
const thoseRunning = async (pids: readonly number[]) => {
  const states = await Promise.all(pids.map(runs));
  return pids.filter((_, index) => states[index]);
};

describe('an upstream server', () => {
  test('that is killed fails its calls at once and comes back by itself; nothing else notices', async () => {
    const running = await launchLuna(
      await homeOf({ ...withServer({ server: stdioServer }), 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }),
    );
    const client = await connectHttp('sdk 1.x, 2025-11-25', running);
    const pid = Number((await client.call('pid')).content[0]?.text);
    const waiting = client.call('wait');
    const failed = waiting.catch((error: Error) => error);
    await client.call('echo', { text: 'the wait has been sent before' });
    process.kill(pid, 'SIGKILL');
    expect(await failed).toMatchObject({ message: expect.stringContaining('ended by SIGKILL') });
    expect((await client.call('a')).content[0]?.text).toBe('A');
    const again = await eventually(async () => Number((await client.call('pid')).content[0]?.text));
    expect(again).not.toBe(pid);
  });

  test('whose command does not exist is named, and stops nothing else', async () => {
    const running = await launchLuna(
      await homeOf({
        ...withServer({ lost: { command: 'no-such-program' } }),
        'extensions/a/tools/a_tools.js': fixedTool('a', 'A'),
      }),
    );
    const { sources } = await (await running.api('GET', 'status')).json();
    const lost = sources.find((source: { id: string }) => source.id === 'lost');
    expect(lost.health).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('There is no program "no-such-program"'),
    });
    expect((await running.api('POST', 'tools/call', { name: 'a' })).status).toBe(200);
  });

  test('that dies while it starts shows its last words', async () => {
    const running = await launchLuna(
      await homeOf(
        withServer({
          broken: { command: process.execPath, args: ['-e', 'console.error("no licence found"); process.exit(3)'] },
        }),
      ),
    );
    const health = await eventually(async () => {
      const { sources } = await (await running.api('GET', 'status')).json();
      expect(sources[0].health.status).toBe('down');
      return sources[0].health;
    });
    expect(health.reason).toContain('exit code 3');
    expect(health.reason).toContain('no licence found');
    expect(health.log).toContain('no licence found');
  });

  test('gets only the environment that it asked for', async () => {
    const script = 'console.error(JSON.stringify(process.env)); process.exit(1)';
    const home = await homeOf({
      ...withServer({ nosy: { command: process.execPath, args: ['-e', script], env: { ASKED: '${CANARY_ASKED}' } } }),
      '.env': 'CANARY_ASKED=given-secret\nCANARY_OTHER=kept\n',
    });
    const running = await launchLuna(home, { env: { CANARY_OUTSIDE: 'kept' } });
    const health = await eventually(async () => {
      const { sources } = await (await running.api('GET', 'status')).json();
      expect(sources[0].health.log).toBeDefined();
      return sources[0].health;
    });
    expect(health.log.join('')).toContain('"ASKED":"•••"');
    expect(health.log.join('')).not.toMatch(/kept|luna-admin|luna-hub/);
    const log = await eventually(async () => {
      const text = await readFile(join(home, 'logs', 'luna.log'), 'utf8');
      expect(text).toContain('ASKED');
      return text;
    });
    expect(log).not.toContain('given-secret');
  });
});

describe('Luna', () => {
  test('killed and started anew leaves none of the old children, and no acknowledged change is lost', async () => {
    const home = await homeOf(withServer({ server: stdioServer }));
    const first = await launchLuna(home);
    const pid = Number((await (await first.api('POST', 'tools/call', { name: 'pid' })).json()).result.content[0].text);
    expect((await first.api('POST', 'mcp-servers', { name: 'kept' })).status).toBe(201);
    await first.kill();
    const second = await launchLuna(home);
    await eventually(async () => expect(await runs(pid)).toBe(false));
    const hubs = await (await second.api('GET', 'mcp-servers')).json();
    expect(hubs.servers.map((hub: { name: string }) => hub.name)).toEqual(['default', 'main', 'kept']);
    const now = await (await second.api('POST', 'tools/call', { name: 'pid' })).json();
    expect(Number(now.result.content[0].text)).not.toBe(pid);
  });

  test('ends stubborn children of a former run that left their group, and no stranger', async () => {
    const mark = `luna-test-grandchild-${process.pid}`;
    const stubborn = `process.on('SIGTERM', () => {}); process.stdin.resume(); process.stdin.on('end', () => {}); setInterval(() => {}, 1000);
      require('child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); /* ${mark} */'], { detached: true, stdio: 'ignore' }).unref();`;
    const home = await homeOf(withServer({ stubborn: { command: process.execPath, args: ['-e', stubborn] } }));
    const grandchildren = async () => {
      const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args']);
      return stdout
        .split('\n')
        .filter((line) => line.includes(mark) && !line.includes('spawn('))
        .map((line) => Number.parseInt(line, 10));
    };
    const oneGrandchild = () =>
      eventually(async () => {
        const found = await grandchildren();
        expect(found).toHaveLength(1);
        return found;
      });
    // The server never answers, and nobody waits for it.
    const first = await launchLuna(home, { isImpatient: true });
    const orphans = await oneGrandchild();
    onTestFinished(async () => {
      for (const pid of await thoseRunning(await grandchildren())) process.kill(pid, 'SIGKILL');
    });
    await first.kill();
    expect(await thoseRunning(orphans)).toEqual(orphans);
    const stranger = execFile(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    onTestFinished(() => void stranger.kill('SIGKILL'));
    const second = await launchLuna(home, { isImpatient: true });
    await eventually(async () => expect(await thoseRunning(orphans)).toEqual([]));
    expect(await runs(stranger.pid ?? 0)).toBe(true);
    await oneGrandchild();
    expect(await second.stop()).toBe(0);
  });

  test('stops on SIGTERM with all its children, with exit code 0', async () => {
    const luna = await launchLuna(await homeOf(withServer({ server: stdioServer })));
    const pid = Number((await (await luna.api('POST', 'tools/call', { name: 'pid' })).json()).result.content[0].text);
    expect(await luna.stop()).toBe(0);
    await eventually(async () => expect(await runs(pid)).toBe(false));
  });

  test('refuses to start with a broken configuration, naming the place, and keeps the file', async () => {
    const text = '{\n  "mcp_servers": {\n    "default": { "enabled": "yes" }\n  }\n}\n';
    const home = await homeOf({ 'master_config.json': text });
    const refused = await luna(['start', '--home', home, '--port', '0']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/master_config\.json:3:\d+: mcp_servers\.default\.enabled/);
    expect(await readFile(join(home, 'master_config.json'), 'utf8')).toBe(text);
    const syntax = await homeOf({ 'master_config.json': '{\n  "luna": {,}\n}\n' });
    expect((await luna(['start', '--home', syntax, '--port', '0'])).stderr).toMatch(
      /master_config\.json:2:12: not valid JSON/,
    );
  });

  test('restarted under a stdio client goes on serving it', async () => {
    const home = await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') });
    const first = await launchLuna(home);
    const port = new URL(first.url).port;
    for (const kind of ['sdk 1.x, 2025-11-25', 'client 2.x, 2026-07-28'] as const) {
      const client = await connectStdio(kind, first);
      expect((await client.call('a')).content[0]?.text).toBe('A');
    }
    const client = await connectStdio('sdk 1.x, 2025-11-25', first);
    await client.call('a');
    await first.stop();
    await launchLuna(home, { args: ['--port', port] });
    expect((await client.call('a')).content[0]?.text).toBe('A');
  });
});
