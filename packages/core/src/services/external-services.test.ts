import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import {
  answering,
  asks,
  externalServices,
  install,
  kept,
  putDefinition,
  soon,
} from '../../test/fixtures/external-service.ts';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { identify } from '../supervisor/index.ts';
import type { ExternalServices } from './external-services.ts';

const node = process.execPath;
const isGone = async (pid: number) => (await identify(pid)) === undefined;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((settle) => server.close(settle));
  return typeof address === 'object' && address ? address.port : 0;
}

const statusOf = async (services: ExternalServices, name = 'kept') => (await services.get(name)).status;

/** A service that consists of files: `up` is there while it runs. */
const filed = (more: Record<string, unknown> & { commands?: object } = {}) => ({
  name: 'filed',
  ...more,
  commands: {
    install: 'echo installing; touch "$LUNA_SERVICE_DATA_DIR/made"',
    uninstall: 'rm -f up',
    start: 'touch up',
    stop: 'rm up',
    health_check: 'test -e up && echo well',
    ...more.commands,
  },
  health_check_expected: 'well',
});

test('a program is installed, runs, is well, is stopped, started, and taken away again', async () => {
  const port = await freePort();
  const definition = kept(port, {
    config_form: {
      fields: [
        { name: 'port', type: 'port', default: port },
        { name: 'word', type: 'password' },
      ],
    },
    provides_vars: ['KEPT_PORT'],
    post_install_env: { KEPT_URL: 'http://:{{word | url}}@127.0.0.1:{{port}}/' },
    ui: { port_field: 'port', slug: 'it' },
  });
  const { services, home, env, lines } = await externalServices([definition]);
  const told: unknown[] = [];
  services.onRoutesChange((routes) => told.push(routes));
  await env.set({ OTHER: 'stays' });

  await install(services, 'kept', { word: 'a secret & more' });
  expect(await services.get('kept')).toMatchObject({
    status: 'running',
    installed: true,
    config: { port },
    secrets: ['word'],
    path: '/ext_service/it/',
  });
  expect(lines).toContain('listening');
  const config = join(home, 'external_services', 'kept', 'config.json');
  expect(JSON.parse(await readFile(config, 'utf8'))).toEqual({ port, word: 'a secret & more' });
  expect((await stat(config)).mode & 0o777).toBe(0o600);
  expect(await env.read()).toEqual({
    OTHER: 'stays',
    KEPT_PORT: String(port),
    KEPT_URL: `http://:a%20secret%20%26%20more@127.0.0.1:${port}/`,
  });
  const routes = [{ service: 'kept', slug: 'it', path: '/ext_service/it/', port, scheme: 'http', strip_prefix: true }];
  expect(services.routes()).toMatchObject(routes);
  expect(told.at(-1)).toMatchObject(routes);
  const routesFile = join(home, '.luna', 'external_service_routes.json');
  expect(JSON.parse(await readFile(routesFile, 'utf8'))).toMatchObject({ routes });
  const registry = JSON.parse(await readFile(join(home, '.luna', 'external_services.json'), 'utf8'));
  expect(registry.services.kept).toMatchObject({ installed: true, status: 'running', config_path: config });
  expect(Date.parse(registry.services.kept.installed_at)).toBeGreaterThan(Date.now() - 60_000);

  const { pid = 0 } = await services.get('kept');
  await services.stopService('kept');
  expect([await statusOf(services), await isGone(pid)]).toEqual(['stopped', true]);
  expect(await services.startService('kept')).toMatchObject({ status: 'running' });
  const second = (await services.get('kept')).pid;
  expect(await services.restartService('kept')).toMatchObject({ status: 'running' });
  expect((await services.get('kept')).pid).not.toBe(second);

  await services.uninstall('kept');
  expect(await services.get('kept')).toMatchObject({ status: 'not_installed', installed: false, hasData: false });
  expect(await env.read()).toEqual({ OTHER: 'stays' });
  expect(services.routes()).toEqual([]);
  expect(JSON.parse(await readFile(routesFile, 'utf8'))).toEqual({ routes: [] });
  await expect(stat(config)).rejects.toThrow('ENOENT');
});

test('a program that is killed is up again at once; one that may not be started again is told as failed', async () => {
  const port = await freePort();
  const { services } = await externalServices([
    kept(port),
    kept(await freePort(), { name: 'once', restart_on_failure: false }),
  ]);
  await install(services, 'kept');
  await install(services, 'once');
  const { pid = 0 } = await services.get('kept');
  process.kill(pid, 'SIGKILL');
  await soon(async () => {
    const now = await services.get('kept');
    expect(now).toMatchObject({ status: 'running', restarts: 1 });
    expect(now.pid).not.toBe(pid);
  });

  process.kill((await services.get('once')).pid ?? 0, 'SIGKILL');
  await soon(async () =>
    expect(await services.get('once')).toMatchObject({
      status: 'failed',
      restarts: 0,
      reason: expect.stringMatching(/ended by SIGKILL.*luna service start once/),
    }),
  );
});

test('one that dies again and again is given up, with its reason and its last words', async () => {
  const port = await freePort();
  const { services, home } = await externalServices([
    kept(port, { commands: { run: [node, '{{service_dir}}/server.js'], health_check: [node, '-e', asks] } }),
  ]);
  const program = join(home, 'external_services', 'kept', 'server.js');
  await writeFile(program, answering());
  await install(services, 'kept');
  await writeFile(program, 'console.error("my disk is broken"); process.exit(3)');
  process.kill((await services.get('kept')).pid ?? 0, 'SIGKILL');
  await soon(async () =>
    expect(await services.get('kept')).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/exit code 3.*my disk is broken.*gave up after 4 failures/),
      log: expect.arrayContaining(['my disk is broken']),
    }),
  );
  await writeFile(program, answering());
  expect(await services.startService('kept')).toMatchObject({ status: 'running' });
});

test('one with commands of its own is asked for its health, and started again when it is not well', async () => {
  const { services, home } = await externalServices([filed()]);
  await install(services, 'filed');
  expect(await services.get('filed')).toMatchObject({ status: 'running', hasData: true });
  await unlink(join(home, 'up'));
  await soon(async () => expect(await services.get('filed')).toMatchObject({ status: 'unhealthy' }));
  await soon(async () => {
    expect(await services.get('filed')).toMatchObject({ status: 'running', restarts: 1 });
    expect(await readdir(home)).toContain('up');
  });
  const { lastHealthy = '' } = await services.get('filed');
  await soon(async () => expect((await services.get('filed')).lastHealthCheck).not.toBe(undefined));
  expect(Date.parse(lastHealthy)).toBeGreaterThan(0);
});

test('a health check that hangs is ended at its limit with all it has started, and means that it is not well', async () => {
  const { services, home } = await externalServices([
    filed({
      health_timeout: 2,
      restart_on_failure: false,
      commands: { health_check: 'test -e hang || { echo well; exit; }; sleep 987 & echo $! >> hanging; wait' },
    }),
  ]);
  await install(services, 'filed');
  await writeFile(join(home, 'hang'), '');
  await soon(async () =>
    expect(await services.get('filed')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('took longer than 2 seconds'),
    }),
  );
  const pids = (await readFile(join(home, 'hanging'), 'utf8')).trim().split('\n').map(Number);
  expect(pids.length).toBeGreaterThan(1);
  for (const pid of pids) await soon(async () => expect(await isGone(pid)).toBe(true));
});

test('what is printed without end costs no memory, and does not stop an install', async () => {
  const before = process.memoryUsage().rss;
  const { services, home, lines } = await externalServices([
    filed({
      commands: { install: "yes 0123456789 | head -c 60000000; head -c 60000000 /dev/zero | tr '\\0' x; echo end" },
    }),
  ]);
  await install(services, 'filed');
  expect(await statusOf(services, 'filed')).toBe('running');
  expect(lines).toContain('… what more it prints is left out (1 MiB).');
  expect((await stat(join(home, '.luna', 'logs', 'external_service_filed.log'))).size).toBeLessThan(12_000_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1_048_576);
});

test('an install that fails is undone, and tells why; it can be repeated', async () => {
  const { services, home, env } = await externalServices([
    filed({
      config_form: { fields: [{ name: 'word', type: 'password' }] },
      provides_vars: ['FILED_WORD'],
      commands: {
        install:
          'echo half > "$LUNA_SERVICE_DATA_DIR/half"; test -e may || { echo "no leave for $LUNA_CONFIG_WORD" >&2; exit 7; }',
      },
    }),
  ]);
  const word = 'not-for-everyone';
  await expect(install(services, 'filed', { word })).rejects.toMatchObject({
    code: 'process_failed',
    message: 'The install of "filed" ended with exit code 7: no leave for •••',
  });
  const failed = await services.get('filed');
  expect(failed).toMatchObject({ status: 'install_failed', installed: false, hasData: false });
  expect(failed.reason).toContain('no leave for •••');
  expect(await env.read()).toEqual({});
  expect(await readdir(join(home, 'external_services', 'filed'))).toEqual(['service.json']);
  await expect(services.startService('filed')).rejects.toMatchObject({ code: 'conflict' });

  await writeFile(join(home, 'may'), '');
  await install(services, 'filed', { word });
  expect(await services.get('filed')).toMatchObject({ status: 'running', hasData: true });
});

test('values reach commands whole, and nothing of them is run; secrets are in no log, argument or view', async () => {
  const fields = [
    { name: 'word', type: 'password' },
    { name: 'text', type: 'textarea' },
  ];
  const word = `$(touch hacked) '; touch hacked; " \\ \`touch hacked\``;
  const text = `two\nlines $(touch hacked)\n"quoted" 'too'`;
  const { services, home } = await externalServices([
    filed({
      config_form: { fields },
      commands: {
        install: {
          command: 'cat > from-input; printf %s {{word}} > from-text; printf %s "$OWN" > from-own; echo said {{word}}',
          env: { OWN: '{{text}}' },
          stdin: '{{word}}',
        },
        restart: ['sh', '-c', 'tr "\\0" "\\n" < /proc/$$/cmdline > arguments; touch up', '{{text}}'],
      },
    }),
  ]);
  await install(services, 'filed', { word, text });
  await services.restartService('filed');
  const read = (name: string) => readFile(join(home, name), 'utf8');
  expect(await Promise.all(['from-input', 'from-text', 'from-own'].map(read))).toEqual([word, word, text]);
  expect(await read('arguments')).toContain(text);
  expect(await read('arguments')).not.toContain(word);
  expect(await readdir(home)).not.toContain('hacked');
  for (const file of ['.luna/logs/external_service_filed.log', '.luna/external_services.json'])
    expect(await read(file)).not.toContain('touch hacked');
  expect(await read('.luna/logs/external_service_filed.log')).toContain('said •••');
  expect(JSON.stringify(await services.get('filed'))).not.toContain('; touch hacked;');
});

test('stopping what is under way ends its commands with all that they have started', async () => {
  const { services, home } = await externalServices([
    filed({ commands: { install: 'sleep 876 & echo $! > pid; wait' } }),
  ]);
  const { done } = await services.install('filed');
  const failed = done.catch((error) => error);
  const pid = await soon(async () => {
    const text = await readFile(join(home, 'pid'), 'utf8');
    expect(text).toMatch(/\d\n/);
    return Number(text);
  });
  await expect(services.install('filed')).rejects.toMatchObject({ code: 'conflict' });
  await services.uninstall('filed');
  expect(await failed).toMatchObject({ code: 'cancelled' });
  expect(await isGone(pid)).toBe(true);
  expect(await services.get('filed')).toMatchObject({ status: 'not_installed' });
});

test('a service that never gets well fails its install at the limit', async () => {
  const { services } = await externalServices([
    kept(await freePort(), {
      install_timeout: 1,
      commands: { run: [node, '-e', 'setInterval(() => {}, 999)'], health_check: 'echo ill; exit 1' },
    }),
  ]);
  await expect(install(services, 'kept')).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('It was not well within 1 seconds'),
  });
  expect((await services.get('kept')).pid).toBeUndefined();
});

test('a port that is taken is told by its number, and its owner is left alone', async () => {
  const stranger = createServer().listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  onTestFinished(() => void stranger.close());
  const { port } = stranger.address() as { port: number };
  const { services } = await externalServices([kept(port)]);
  await expect(install(services, 'kept')).rejects.toMatchObject({
    code: 'port_taken',
    message: expect.stringContaining(`Port ${port}`),
  });
  expect(stranger.listening).toBe(true);
});

test('a program that the machine does not have is told, with how one gets it', async () => {
  const requires = [{ program: 'no-such-server', hint: 'Install it: apt-get install no-such-server' }];
  const { services } = await externalServices([kept(await freePort(), { requires })]);
  await expect(install(services, 'kept')).rejects.toMatchObject({
    code: 'command_not_found',
    message: expect.stringContaining('apt-get install no-such-server'),
  });
});

test('a key of .env that somebody else has set is not overwritten unasked, and not removed', async () => {
  const { services, env } = await externalServices([filed({ post_install_env: { DATABASE_URL: 'mine' } })]);
  await env.set({ DATABASE_URL: 'somebody else' });
  await expect(install(services, 'filed')).rejects.toMatchObject({ code: 'conflict' });
  expect(await services.get('filed')).toMatchObject({ status: 'not_installed' });
  await (await services.install('filed', { overwriteEnv: true })).done;
  expect(await env.read()).toEqual({ DATABASE_URL: 'mine' });
  await env.set({ DATABASE_URL: 'changed by hand' });
  await services.uninstall('filed');
  expect(await env.read()).toEqual({ DATABASE_URL: 'changed by hand' });
});

test('data outlive an uninstall, unless they are to go', async () => {
  const { services, home } = await externalServices([filed()]);
  const data = join(home, 'external_services', 'filed', 'data');
  await install(services, 'filed');
  await services.uninstall('filed');
  expect(await readdir(data)).toEqual(['made']);
  await install(services, 'filed');
  await services.uninstall('filed', { deleteData: true });
  await expect(stat(data)).rejects.toThrow('ENOENT');
});

test('an uninstall whose command fails is told, and can be forced', async () => {
  const { services } = await externalServices([filed({ commands: { uninstall: 'echo "it clings"; exit 1' } })]);
  await install(services, 'filed');
  await expect(services.uninstall('filed')).rejects.toMatchObject({ message: expect.stringContaining('it clings') });
  expect(await services.get('filed')).toMatchObject({ status: 'failed', reason: expect.stringContaining('it clings') });
  await services.uninstall('filed', { force: true });
  expect(await services.get('filed')).toMatchObject({ status: 'not_installed' });
});

test('what the configuration asks for is done, and only where it differs from before', async () => {
  const port = await freePort();
  const { services } = await externalServices([kept(port)]);
  await install(services, 'kept');
  services.apply({ kept: { enabled: true, config: { port } } });
  const { pid } = await services.get('kept');
  services.apply({ kept: { enabled: true, config: { port } } });
  expect((await services.get('kept')).pid).toBe(pid);

  await services.stopService('kept');
  services.apply({ kept: { enabled: true, config: { port } } });
  expect(await statusOf(services)).toBe('stopped');

  services.apply({ kept: { enabled: false } });
  services.apply({ kept: { enabled: true } });
  await soon(async () => expect(await statusOf(services)).toBe('running'));

  const other = await freePort();
  services.apply({ kept: { enabled: true, config: { port: other } } });
  await soon(async () =>
    expect(await services.get('kept')).toMatchObject({ status: 'running', config: { port: other } }),
  );
  services.apply({ kept: { enabled: true, config: { port: 'many' } } });
  await soon(async () => expect((await services.get('kept')).reason).toMatch(/not in force.*"port".*give a number/));
  services.apply({ kept: { enabled: false } });
  await soon(async () => expect(await statusOf(services)).toBe('stopped'));
});

test('the next Luna starts what is enabled, and finds what went on without it', async () => {
  const { services, again } = await externalServices([kept(await freePort()), filed()]);
  await install(services, 'kept');
  await install(services, 'filed');
  const { pid = 0 } = await services.get('kept');
  await services.close();
  expect(await isGone(pid)).toBe(true);
  const next = await again();
  await next.start({ kept: { enabled: true } });
  await soon(async () => expect(await statusOf(next)).toBe('running'));
  await soon(async () => expect(await next.get('filed')).toMatchObject({ status: 'running', restarts: 0 }));
});

test('definitions are listed, also those that cannot be read; those of the home win', async () => {
  const shipped = await temporaryFolder();
  const { services, home } = await externalServices([filed()], { shippedFolders: [shipped] });
  for (const name of ['filed', 'brought']) {
    await mkdir(join(shipped, name), { recursive: true });
    await writeFile(join(shipped, name, 'service.json'), JSON.stringify(filed({ name, description: 'shipped' })));
    await writeFile(join(shipped, name, 'more.sh'), 'echo more');
  }
  await putDefinition(home, { name: 'broken' });
  await putDefinition(home, { ...filed(), name: 'other-name' });
  await mkdir(join(home, 'external_services', 'no-definition'));
  expect(await services.available()).toMatchObject([
    { name: 'broken', error: expect.stringMatching(/broken\/service\.json:1:1: commands: /) },
    { name: 'brought', shipped: true },
    { name: 'filed', shipped: false, description: '' },
    { name: 'other-name' },
  ]);
  await expect(services.get('broken')).rejects.toMatchObject({ code: 'config_invalid' });

  const brought = join(home, 'external_services', 'brought');
  await install(services, 'brought');
  expect((await readdir(brought)).sort()).toEqual(['config.json', 'data', 'more.sh', 'service.json']);
  await services.uninstall('brought', { deleteData: true });
  await expect(stat(brought)).rejects.toThrow('ENOENT');
  expect(await services.get('brought')).toMatchObject({ shipped: true, status: 'not_installed' });
});

test.each(['../filed', '..', 'a/b', '', 'a\\b', '%2e%2e', 'upload', 'a\0b', '__proto__'])(
  'the name %j is refused everywhere',
  async (name) => {
    const { services } = await externalServices([]);
    const illegal = { code: 'invalid_input' };
    await expect(services.get(name)).rejects.toMatchObject(illegal);
    await expect(services.install(name)).rejects.toMatchObject(illegal);
    await expect(services.uninstall(name)).rejects.toMatchObject(illegal);
    await expect(services.startService(name)).rejects.toMatchObject(illegal);
    await expect(services.log(name)).rejects.toMatchObject(illegal);
  },
);

test.each(['constructor', 'toString', 'nothing'])('%j is not there', async (name) => {
  const { services } = await externalServices([]);
  services.apply({});
  await expect(services.get(name)).rejects.toMatchObject({ code: 'not_found' });
  await expect(services.install(name)).rejects.toMatchObject({ code: 'not_found' });
});

test('a definition can be uploaded, by itself or in an archive, but not over one that is installed', async () => {
  const unpack = async (file: string, into: string) => {
    expect((await readFile(file, 'utf8')).length).toBeGreaterThan(0);
    await mkdir(join(into, 'folder', 'data'), { recursive: true });
    await writeFile(join(into, 'folder', 'service.json'), JSON.stringify(filed({ name: 'packed' })));
    await writeFile(join(into, 'folder', 'more.sh'), '');
    await writeFile(join(into, 'folder', 'data', 'not-ours'), '');
  };
  const { services, home } = await externalServices([], { unpack });
  expect(await services.upload(JSON.stringify(filed()))).toMatchObject({ name: 'filed', status: 'not_installed' });
  await expect(services.upload('{\n "name": "x",\n "commands": 3 }')).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringMatching(/^service\.json:3:/),
  });
  await expect(services.upload(JSON.stringify(filed({ name: '../out' })))).rejects.toMatchObject({
    code: 'config_invalid',
  });
  await expect(services.upload(' '.repeat(2_000_000))).rejects.toMatchObject({ code: 'too_large' });
  await install(services, 'filed');
  await expect(services.upload(JSON.stringify(filed()))).rejects.toMatchObject({ code: 'conflict' });

  expect(await services.uploadArchive(Readable.from([Buffer.from('zip')]))).toMatchObject({ name: 'packed' });
  expect((await readdir(join(home, 'external_services', 'packed'))).sort()).toEqual(['more.sh', 'service.json']);
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(1_048_576);
    })(),
  );
  await expect(services.uploadArchive(endless)).rejects.toMatchObject({ code: 'too_large' });
  expect((await readdir(join(home, 'external_services'))).sort()).toEqual(['filed', 'packed']);
});

test('without somebody who unpacks, an archive is refused', async () => {
  const { services } = await externalServices([]);
  await expect(services.uploadArchive(Readable.from(['zip']))).rejects.toMatchObject({ code: 'invalid_input' });
});

test('the older form of commands drives a service too, with paths from the home', async () => {
  const { services, home } = await externalServices([
    {
      name: 'old',
      install_cmd: 'touch $(pwd)/external_services/old/data/made {{word}} && touch up',
      start_cmd: 'test ! -e up && touch up',
      stop_cmd: 'rm up',
      uninstall_cmd: 'rm -f up',
      health_check_cmd: 'ls',
      health_check_expected: 'up',
      config_form: { fields: [{ name: 'word', label: 'Word', type: 'text', default: 'a b' }] },
    },
  ]);
  await install(services, 'old');
  expect(await readdir(home)).toContain('a b');
  expect(await services.get('old')).toMatchObject({ status: 'running', hasData: true });
  await services.restartService('old');
  await services.uninstall('old');
  expect(await readdir(home)).not.toContain('up');
});

test('what the older form gives a container as -e KEY={{secret}} is no argument of the engine', async () => {
  const bin = await temporaryFolder();
  const tell = `#!/bin/sh\nprintf '%s\\n' "$@" "KEY is $PASSWORD" >> ${join(bin, 'calls')}\n`;
  await writeFile(join(bin, 'docker'), tell, { mode: 0o755 });
  const { services } = await externalServices(
    [
      {
        name: 'old',
        install_cmd: 'docker run -d -e PASSWORD={{word}} -e "OTHER={{word}}" --env SHOWN=x{{word}} image',
        start_cmd: 'true',
        stop_cmd: 'true',
        health_check_cmd: 'true',
        config_form: { fields: [{ name: 'word', type: 'password' }] },
      },
    ],
    { environment: { PATH: `${bin}:${process.env.PATH}` } },
  );
  await install(services, 'old', { word: 'the secret' });
  expect((await readFile(join(bin, 'calls'), 'utf8')).split('\n')).toEqual([
    ...['run', '-d', '-e', 'PASSWORD', '-e', 'OTHER', '--env', 'SHOWN=xthe secret', 'image', 'KEY is the secret', ''],
  ]);
  expect((await services.get('old')).notes).toEqual([expect.stringContaining('can see the secret "word"')]);
});

test('a secret is in the environment of those commands alone that name it', async () => {
  const tell = 'printenv LUNA_CONFIG_WORD LUNA_CONFIG_USER >> seen';
  const { services, home } = await externalServices([]);
  await writeFile(join(home, 'tell.sh'), tell);
  await putDefinition(home, {
    ...filed(),
    config_form: {
      fields: [
        { name: 'word', type: 'password' },
        { name: 'user', default: 'ada' },
      ],
    },
    commands: {
      install: { command: ['sh', 'tell.sh'], env: { LUNA_CONFIG_WORD: '{{word}}' } },
      start: 'sh tell.sh; touch up',
      stop: 'rm up',
      health_check: 'test -e up && echo well',
    },
  });
  await install(services, 'filed', { word: 'the secret' });
  expect((await readFile(join(home, 'seen'), 'utf8')).split('\n')).toEqual(['the secret', 'ada', 'ada', '']);
});

test('a service whose definition was broken while Luna was stopped is told, and comes back when it is repaired', async () => {
  const { services, home, errors, again } = await externalServices([filed()]);
  await install(services, 'filed');
  await services.close();
  const file = join(home, 'external_services', 'filed', 'service.json');
  const text = await readFile(file, 'utf8');
  await writeFile(file, '{');
  const next = await again();
  await next.start({ filed: { enabled: true } });
  expect(errors).toEqual([expect.stringContaining('service.json:1:2')]);
  expect(await next.installed()).toMatchObject([
    { name: 'filed', status: 'failed', reason: expect.stringContaining('service.json:1:2') },
  ]);
  await expect(next.startService('filed')).rejects.toMatchObject({ code: 'config_invalid' });
  await writeFile(file, text);
  expect(await next.startService('filed')).toMatchObject({ status: 'running' });
});

test('a registry that cannot be read is told, and made anew', async () => {
  const home = await temporaryFolder();
  await mkdir(join(home, '.luna'));
  await writeFile(join(home, '.luna', 'external_services.json'), '{"services": 3');
  const { services, errors } = await externalServices([filed()], { home });
  expect(errors).toEqual([expect.stringContaining('external_services.json cannot be read')]);
  await install(services, 'filed');
  expect(await statusOf(services, 'filed')).toBe('running');
});

test('containers get the command lines that they should, with secrets by the environment alone', async () => {
  const bin = await temporaryFolder();
  const engine = join(bin, 'docker');
  await writeFile(
    engine,
    `#!${node}\nconst { appendFileSync } = require('node:fs');\nconst { env, argv } = process;\nappendFileSync(${JSON.stringify(join(bin, 'calls'))}, JSON.stringify({ args: argv.slice(2), secret: env.POSTGRES_PASSWORD ?? env.REDISCLI_AUTH }) + '\\n');\nif (argv[2] === 'exec') console.log('accepting connections PONG');\n`,
  );
  await chmod(engine, 0o755);
  const shipped = join(import.meta.dirname, '..', '..', '..', 'server', 'external_services');
  const { services, home, env } = await externalServices([], {
    shippedFolders: [shipped],
    environment: { PATH: `${bin}:${process.env.PATH}` },
  });
  const port = await freePort();
  await install(services, 'postgres', { port, password: 'the secret' });
  await services.uninstall('postgres');
  const calls = (await readFile(join(bin, 'calls'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [create, ...rest] = calls;
  const container = create.args[2];
  expect(container).toMatch(/^luna-postgres-[0-9a-f]{8}$/);
  expect(create).toEqual({
    args: [
      ...['create', '--name', container, '--publish', `127.0.0.1:${port}:5432`],
      ...['--volume', `${home}/external_services/postgres/data:/var/lib/postgresql/data`, '--shm-size', '128m'],
      ...['--env', 'POSTGRES_DB=luna', '--env', 'POSTGRES_USER=luna', '--env', 'POSTGRES_PASSWORD'],
      'docker.io/library/postgres:17-alpine',
    ],
    secret: 'the secret',
  });
  expect(rest.map(({ args }) => args.filter((arg: string) => arg !== container).join(' '))).toEqual([
    'exec pg_isready --host 127.0.0.1 --username luna --dbname luna',
    'stop --time 30',
    'rm --force',
  ]);
  expect(await env.read()).toEqual({});

  await install(services, 'redis', { port });
  await install(services, 'grocy', { port: await freePort(), timezone: 'Europe/Berlin; touch x' });
  const later = (await readFile(join(bin, 'calls'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const creates = later.filter(({ args }) => args[0] === 'create');
  expect(creates[1].args.slice(-4, -1)).toEqual(['docker.io/library/redis:8-alpine', 'sh', '-c']);
  expect(creates[1].secret).toMatch(/^[\w-]{32}$/);
  expect(creates[2].args).toContain('TZ=Europe/Berlin; touch x');
  expect(services.routes()).toMatchObject([{ service: 'grocy', path: '/ext_service/grocy/' }]);
  expect(await env.read()).toMatchObject({ REDIS_URL: `redis://:${creates[1].secret}@127.0.0.1:${port}/0` });
});
