import { once } from 'node:events';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { launchLuna, luna, type RunningLuna, temporaryFolder } from './support/luna-process.ts';
import { freePort } from './support/ports.ts';

/** A program that tells what it was asked, and greets websockets. */
const program = `
const { createServer } = require('node:http');
createServer((request, response) => {
  if (request.url === '/die') process.exit(1);
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    response.setHeader('set-cookie', ['luna_session=planted; path=/', 'own=1']);
    response.end(JSON.stringify({ name: process.env.NAME, pid: process.pid, url: request.url, headers: request.headers, body,
      env: { key: process.env.WANTED_KEY, other: process.env.OTHER_KEY, ports: process.env.LUNA_PORTS } }));
  });
}).on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n');
  socket.write('hello ' + request.url);
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
`;

async function writeProgram(folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'server.cjs'), program);
  await writeFile(join(folder, 'start.sh'), `#!/bin/sh\nNAME=${name} exec node server.cjs "$1"\n`);
}

async function homeWithBoard(): Promise<string> {
  const home = await temporaryFolder();
  const board = join(home, 'extensions', 'board');
  await writeProgram(join(board, 'ui'), 'ui');
  await chmod(join(board, 'ui', 'start.sh'), 0o755);
  await writeProgram(join(board, 'services', 'feed'), 'feed');
  await writeFile(join(board, 'config.json'), JSON.stringify({ required_secrets: ['WANTED_KEY'] }));
  await writeFile(join(board, 'services', 'feed', 'service_config.json'), JSON.stringify({ health_check: '/health' }));
  await writeFile(join(home, 'master_config.json'), '{}');
  await writeFile(join(home, '.env'), 'WANTED_KEY=wanted\nOTHER_KEY=other\n');
  return home;
}

/** A Luna on that home, once both programs answer. */
async function lunaWithBoard(home?: string): Promise<RunningLuna> {
  const running = await launchLuna(home ?? (await homeWithBoard()));
  await untilAnswers(running, 'board.ui', '/ext/board/');
  await untilAnswers(running, 'board.feed', '/api/board/');
  return running;
}

/** Waits until a service answers itself: another Luna of this machine may have been given the same port at first. */
async function untilAnswers(running: RunningLuna, name: string, path: string): Promise<void> {
  await eventually(async () => {
    const { pid } = await (await asAdmin(running, path)).json();
    expect((await services(running))[name]).toMatchObject({ status: 'running', pid });
  });
}

async function asAdmin(running: RunningLuna, path: string, init: RequestInit = {}): Promise<Response> {
  const token = (await running.env()).SUPERVISOR_API_TOKEN;
  return fetch(`${running.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
}

async function services(running: RunningLuna): Promise<Record<string, Record<string, unknown>>> {
  const { services: all } = await (await running.api('GET', 'services')).json();
  return Object.fromEntries(all.map((service: { name: string }) => [service.name, service]));
}

test('an extension brings a UI and a service, which Luna runs, shows and leads to', async () => {
  const running = await lunaWithBoard();
  expect(await services(running)).toMatchObject({
    'board.ui': { status: 'running', kind: 'ui', port: expect.any(Number), url: `${running.url}/ext/board/` },
    'board.feed': { status: 'running', kind: 'service', port: expect.any(Number), memoryBytes: expect.any(Number) },
  });
  const config = JSON.parse(await readFile(join(running.home, 'master_config.json'), 'utf8'));
  expect(config.port_assignments.extensions.board).toBeGreaterThanOrEqual(5200);
  expect(config.port_assignments.services['board.feed']).toBeGreaterThanOrEqual(5300);

  const seen = await (await asAdmin(running, '/ext/board/some/page?a=%20b')).json();
  expect(seen).toMatchObject({ name: 'ui', url: '/some/page?a=%20b' });
  expect(seen.env).toEqual({ key: 'wanted', ports: JSON.stringify(config.port_assignments) });
  const posted = await asAdmin(running, '/api/board/items', { method: 'POST', body: '{"text":"hi"}' });
  expect(await posted.json()).toMatchObject({ name: 'feed', url: '/items', body: '{"text":"hi"}' });

  await eventually(async () =>
    expect(await (await running.api('GET', 'services/board.feed/logs?lines=50')).text()).toContain('listening'),
  );
  const { stdout } = await luna(['status', '--home', running.home]);
  for (const name of ['board.ui', 'board.feed']) expect(stdout).toMatch(new RegExp(`${name} +running +5\\d{3} .* MB`));
});

test('start.sh is run by what its first line names, also where nobody made it executable', async () => {
  const home = await homeWithBoard();
  const script = '#!/usr/bin/env -S node\nprocess.argv[2] && eval(require("fs").readFileSync("server.cjs", "utf8"))\n';
  await writeFile(join(home, 'extensions', 'board', 'services', 'feed', 'start.sh'), script);
  const running = await lunaWithBoard(home);
  expect((await services(running))['board.feed']).toMatchObject({ status: 'running' });
});

test('one that takes its time is said to be starting, and one that failed says why, on the command line too', async () => {
  const home = await homeWithBoard();
  const ui = join(home, 'extensions', 'board', 'ui');
  await writeFile(
    join(ui, 'start.sh'),
    '#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\nexec node server.cjs "$1"\n',
  );
  await writeFile(join(home, 'extensions', 'board', 'services', 'feed', 'start.sh'), 'echo no such luck >&2\nexit 3\n');
  const running = await launchLuna(home);
  const early = await asAdmin(running, '/ext/board/');
  expect([early.status, (await early.json()).error.message]).toEqual([
    503,
    'board.ui is starting. Try again in a moment.',
  ]);
  await writeFile(join(ui, 'go'), '');
  await untilAnswers(running, 'board.ui', '/ext/board/');
  await eventually(async () => {
    const { stdout } = await luna(['status', '--home', running.home]);
    expect(stdout).toMatch(/board\.feed +(backoff|failed) .*exit code 3.* no such luck/);
  });
});

test('a service whose key changes is started again with the new value, and no other is', async () => {
  const running = await lunaWithBoard();
  await writeProgram(join(running.home, 'extensions', 'other', 'services', 'main'), 'other');
  await untilAnswers(running, 'other.main', '/api/other/');
  const before = (await services(running))['other.main']?.pid;
  expect((await running.api('POST', 'keys/set', { name: 'WANTED_KEY', value: 'another' })).status).toBeLessThan(300);
  await eventually(async () => {
    const seen = await (await asAdmin(running, '/ext/board/')).json();
    expect(seen.env.key).toBe('another');
  });
  expect((await services(running))['other.main']?.pid).toBe(before);
});

test('what opens Luna goes no further, and nobody can say who they are', async () => {
  const running = await lunaWithBoard();
  const answer = await asAdmin(running, '/ext/board/', {
    headers: {
      cookie: 'luna_session=secret; luna_session.sig=secret; theme=dark',
      'x-luna-user': 'somebody',
      'x-luna-role': 'king',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'https',
    },
  });
  const { headers } = await answer.json();
  expect(headers).toMatchObject({
    cookie: 'theme=dark',
    'x-luna-role': 'admin',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-prefix': '/ext/board',
  });
  expect(headers).not.toHaveProperty('x-luna-user');
  expect(headers).not.toHaveProperty('authorization');
  expect(answer.headers.getSetCookie()).toEqual(['own=1']);
});

test('who has not signed in gets to the sign-in page, or 401; a path without its slash is led on', async () => {
  const running = await lunaWithBoard();
  const page = await fetch(`${running.url}/ext/board/x?y=1`, { headers: { accept: 'text/html' }, redirect: 'manual' });
  expect([page.status, page.headers.get('location')]).toEqual([302, '/sign-in?next=%2Fext%2Fboard%2Fx%3Fy%3D1']);
  expect((await fetch(`${running.url}/api/board/x`)).status).toBe(401);
  const bare = await asAdmin(running, '/ext/board?q=1', { redirect: 'manual' });
  expect([bare.status, bare.headers.get('location')]).toEqual([302, '/ext/board/?q=1']);
  expect((await asAdmin(running, '/ext/nobody/')).status).toBe(200); // a page of the UI
  expect((await asAdmin(running, '/api/nobody/')).status).toBe(404);
});

/** What comes back on a raw connection that asks for a websocket. */
async function upgrade(running: RunningLuna, path: string, headers: Record<string, string>): Promise<string> {
  const { port, host } = new URL(running.url);
  const socket = connect(Number(port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const lines = Object.entries({ host, connection: 'Upgrade', upgrade: 'websocket', ...headers });
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await eventually(() => expect(text).toMatch(/hello|"error"|"name"/));
  return text;
}

test('websockets pass for those who may, and from no foreign page', async () => {
  const running = await lunaWithBoard();
  const authorization = `Bearer ${(await running.env()).SUPERVISOR_API_TOKEN}`;
  expect(await upgrade(running, '/ext/board/live?x=1', { authorization })).toMatch(
    /^HTTP\/1.1 101[\s\S]*hello \/live\?x=1/,
  );
  expect(await upgrade(running, '/ext/board/live', {})).toMatch(/^HTTP\/1.1 401/);
  const foreign = { authorization, origin: 'https://evil.example' };
  expect(await upgrade(running, '/ext/board/live', foreign)).toMatch(/^HTTP\/1.1 403/);
  expect(await upgrade(running, '/api/nothing', { authorization })).toMatch(/^HTTP\/1.1 404/);
  expect(await upgrade(running, '/api/board/live', { authorization, upgrade: 'h2c' })).toMatch(/^HTTP\/1.1 200/);
  expect(await upgrade(running, '/ext/board/../x', { authorization })).toMatch(/^HTTP\/1.1 400/);
});

test('a service that dies is there again; one that is stopped says so', async () => {
  const running = await lunaWithBoard();
  const before = (await services(running))['board.feed'];
  await asAdmin(running, '/api/board/die');
  await eventually(async () => {
    const now = (await services(running))['board.feed'];
    expect(now).toMatchObject({ status: 'running', restarts: Number(before?.restarts) + 1, port: before?.port });
    expect(now?.pid).not.toBe(before?.pid);
  });
  expect((await running.api('POST', 'services/board.feed/stop')).status).toBe(200);
  const down = await asAdmin(running, '/api/board/x');
  expect([down.status, (await down.json()).error.message]).toEqual([503, 'board.feed is stopped.']);
  expect(await (await running.api('POST', 'services/board.feed/start')).json()).toMatchObject({ name: 'board.feed' });
  expect((await running.api('POST', 'services/nobody/start')).status).toBe(404);
});

test('files decide: services come, change, break and go while Luna runs', async () => {
  const running = await lunaWithBoard();
  const board = join(running.home, 'extensions', 'board');
  const uiPid = (await services(running))['board.ui']?.pid;
  await writeProgram(join(board, 'services', 'second'), 'second');
  await untilAnswers(running, 'board.second', '/api/board/second/');
  // With two of them each is reached by its name, and the bare path leads to the first.
  expect(await (await asAdmin(running, '/api/board/second/x')).json()).toMatchObject({ name: 'second', url: '/x' });
  expect(await (await asAdmin(running, '/api/board/x')).json()).toMatchObject({ name: 'feed', url: '/x' });

  const configFile = join(board, 'services', 'second', 'service_config.json');
  await writeFile(configFile, '{ "health_check": 7 }');
  await eventually(async () => {
    const broken = (await services(running))['board.second'];
    expect(broken).toMatchObject({ status: 'running', reason: expect.stringContaining('service_config.json:1:3') });
  });
  await rm(join(board, 'services', 'second'), { recursive: true });
  await eventually(async () => expect(Object.keys(await services(running))).toEqual(['board.feed', 'board.ui']));
  expect((await services(running))['board.ui']?.pid).toBe(uiPid);

  await running.api('POST', 'extensions/board/disable');
  await eventually(async () => expect(await services(running)).toEqual({}));
});

/** A program that is not Luna's, on a port of these; tells which. */
async function strangerBetween(from: number, to: number): Promise<number> {
  for (;;) {
    const port = from + Math.floor(Math.random() * (to - from + 1));
    const stranger = createServer((_request, response) => response.end('stranger')).listen(port, '127.0.0.1');
    const listens = await once(stranger, 'listening').then(
      () => true,
      () => false,
    );
    if (!listens) continue;
    onTestFinished(() => void stranger.close());
    return port;
  }
}

test('a port that a stranger has is left to them', async () => {
  const home = await homeWithBoard();
  const taken = await strangerBetween(5250, 5299);
  await writeFile(
    join(home, 'master_config.json'),
    JSON.stringify({ port_assignments: { extensions: { board: taken } } }),
  );
  const running = await lunaWithBoard(home);
  const ui = (await services(running))['board.ui'];
  expect(ui?.status).toBe('running');
  expect(ui?.port).not.toBe(taken);
  await eventually(async () =>
    expect(await readFile(join(home, 'logs', 'luna.log'), 'utf8')).toContain(
      `Port ${taken} is taken by another program`,
    ),
  );
});

test('a service whose port a stranger took while it was down gets another one', async () => {
  const running = await lunaWithBoard();
  const { port } = (await services(running))['board.feed'] ?? {};
  await running.api('POST', 'services/board.feed/stop');
  const stranger = createServer((_request, response) => response.end('stranger')).listen(Number(port), '127.0.0.1');
  onTestFinished(() => void stranger.close());
  // Where it fails, a program of another Luna was faster: a stranger too.
  await once(stranger, 'listening').catch(() => undefined);
  await running.api('POST', 'services/board.feed/start');
  await eventually(async () => {
    const now = (await services(running))['board.feed'];
    expect(now?.status).toBe('running');
    expect(now?.port).not.toBe(port);
    expect(await (await asAdmin(running, '/api/board/x')).json()).toMatchObject({ name: 'feed' });
  });
});

test('Luna is started again when it dies, at the same address, and nothing of the old one is left', async () => {
  const running = await lunaWithBoard();
  const { pid } = await (await running.api('GET', 'status')).json();
  const child = Number((await services(running))['board.ui']?.pid);
  expect(pid).not.toBe(running.child.pid);
  process.kill(pid, 'SIGKILL');
  await eventually(async () => {
    const now = await (await running.api('GET', 'status')).json();
    expect(now.pid).not.toBe(pid);
    expect((await services(running))['board.ui']).toMatchObject({ status: 'running' });
  });
  await eventually(() => expect(() => process.kill(child, 0)).toThrow());
});

test('luna restart and luna stop', async () => {
  const running = await lunaWithBoard();
  const { pid } = await (await running.api('GET', 'status')).json();
  const again = await luna(['restart', '--home', running.home, '--json']);
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(again.stdout)).toEqual({ home: running.home, url: running.url });
  expect((await (await running.api('GET', 'status')).json()).pid).not.toBe(pid);
  expect(await luna(['stop', '--home', running.home])).toMatchObject({ code: 0 });
  expect(await luna(['stop', '--home', running.home])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('does not run'),
  });
});

test('the web interface of an external service is behind the gateway too', async () => {
  const home = await temporaryFolder();
  const folder = join(home, 'external_services', 'small');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'server.cjs'), program);
  const port = await freePort();
  const definition = {
    name: 'small',
    commands: { run: [process.execPath, join(folder, 'server.cjs'), String(port)] },
    ui: { slug: 'tiny', port },
  };
  await writeFile(join(folder, 'service.json'), JSON.stringify(definition));
  await writeFile(join(home, 'master_config.json'), '{}');
  const running = await launchLuna(home);
  expect((await asAdmin(running, '/ext_service/tiny/')).headers.get('content-type')).toContain('text/html');
  const install = await asAdmin(running, '/api/external-services/small/install', { method: 'POST' });
  expect(install.status, await install.text()).toBe(202);
  await eventually(async () => {
    const answer = await asAdmin(running, '/ext_service/tiny/page?x=1');
    expect(await answer.json()).toMatchObject({
      url: '/page?x=1',
      headers: { 'x-forwarded-prefix': '/ext_service/tiny' },
    });
  });
  const stranger = await fetch(`${running.url}/ext_service/tiny/`, { headers: { accept: 'application/json' } });
  expect(stranger.status).toBe(401);
  const bare = await asAdmin(running, '/ext_service/tiny', { redirect: 'manual' });
  expect([bare.status, bare.headers.get('location')]).toEqual([302, '/ext_service/tiny/']);
});
