import { chmod, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../packages/server/src/doctor/finding.ts';
import { homeOf, stdioServer } from './support/homes.ts';
import { luna, startLuna } from './support/luna-process.ts';

async function examined(home: string, env?: Record<string, string>) {
  const { code, stdout } = await luna(['doctor', '--home', home, '--json'], { env });
  const { findings, problems }: { findings: Finding[]; problems: number } = JSON.parse(stdout);
  const bad = findings.filter(({ status }) => status === 'problem');
  expect(bad.length).toBe(problems);
  expect(code).toBe(problems === 0 ? 0 : 1);
  // Each that is not well says what to do.
  for (const { status, advice } of findings) expect(advice !== undefined).toBe(status !== 'ok');
  return { findings, text: bad.map(({ check, message, advice }) => `${check}: ${message} → ${advice}`).join('\n') };
}

async function listening(): Promise<number> {
  const server = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('a home that is well has no problem, and stays as it is', async () => {
  const upstream = await listening();
  const home = await homeOf({
    'master_config.json': JSON.stringify({
      remote_mcp_servers: { small: stdioServer, far: { url: `http://127.0.0.1:${upstream}/mcp` } },
    }),
  });
  await chmod(join(home, 'master_config.json'), 0o600);
  const { findings, text } = await examined(home, { LUNA_PORT: '0' });
  expect(text).toBe('');
  expect(findings.map(({ check }) => check)).toEqual(
    expect.arrayContaining([
      'Node',
      'home',
      'configuration',
      'database',
      'disk',
      'git',
      'python3',
      'Luna',
      'port',
      'keys',
      'server far',
    ]),
  );
  expect(await readdir(home)).toEqual(['master_config.json']);
});

test('each problem is named, with what to do', async () => {
  const taken = await listening();
  const home = await homeOf({
    'master_config.json': JSON.stringify({
      remote_mcp_servers: {
        gone: { url: 'http://127.0.0.1:9/mcp' },
        absent: { command: 'no-such-program-here', env: { KEY: '${ABSENT_KEY}' } },
      },
    }),
    '.env': 'A=1\n',
    'extensions/pets/config.json': '{ "required_secrets": ["PET_KEY"] }',
    '.luna/luna.db': 'this is no database, but it is long enough to be looked at as one '.repeat(20),
  });
  await chmod(join(home, '.env'), 0o644);
  const { text } = await examined(home, { LUNA_PORT: String(taken) });
  expect(text).toContain(`Port ${taken} on 127.0.0.1 is taken by "`);
  expect(text).toContain(`process ${process.pid}`);
  expect(text).toMatch(/Other users may read .*\.env.* → Run: chmod 600/);
  expect(text).toContain('PET_KEY is not set; pets cannot do without. → Run: luna keys set PET_KEY');
  expect(text).toContain('ABSENT_KEY is not set; absent');
  expect(text).toMatch(/server gone: http:\/\/127.0.0.1:9 does not answer/);
  expect(text).toContain('server absent: no-such-program-here is not on the PATH.');
  expect(text).toMatch(/database: .*luna\.db: /);
});

test('a broken configuration is named with its place; a home that is none too', async () => {
  const home = await homeOf({ 'master_config.json': '{\n  "extensions": 3\n}' });
  expect((await examined(home, { LUNA_PORT: '0' })).text).toMatch(
    /configuration: .*master_config\.json:2:3: extensions/,
  );
  expect((await examined(join(home, 'nowhere'))).text).toContain('is no folder');
  expect((await examined(home, { LUNA_PORT: 'many' })).text).toContain('settings: The setting port is not legal');
});

test('a Luna that runs is asked how its sources are', async () => {
  const home = await homeOf({
    'extensions/broken/tools/broken_tools.js': 'this is no code',
    'extensions/pets/config.json': '{ "required_secrets": ["PET_KEY"] }',
  });
  const running = await startLuna(home);
  const { findings, text } = await examined(home);
  expect(findings).toContainEqual({
    check: 'Luna',
    status: 'ok',
    message: expect.stringContaining(`process ${running.child.pid} at ${running.url}`),
  });
  expect(findings.map(({ check }) => check)).not.toContain('port');
  expect(text).toMatch(/sources: broken \(extension\) is down: .*broken_tools\.js/);
  expect(text).toContain('PET_KEY is not set');
});
