import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { zipOf } from '../../packages/core/test/fixtures/zip-bytes.ts';
import { eventually } from './support/eventually.ts';
import { ask, runs, service, serviceOf, untilService } from './support/external-services.ts';
import { homeOf } from './support/homes.ts';
import { launchLuna, type RunningLuna, startLuna } from './support/luna-process.ts';
import { freePort } from './support/ports.ts';

const server = `require('node:http').createServer((request, response) => response.end('it is ' + request.url)).listen(Number(process.env.LUNA_CONFIG_PORT), '127.0.0.1', () => console.log('listening'))`;

const definition = async (more: object = {}) => ({
  name: 'small',
  display_name: 'Something small',
  config_form: {
    fields: [
      { name: 'port', type: 'port', default: await freePort() },
      { name: 'word', type: 'password', generate: true, required: false },
    ],
  },
  commands: {
    install: 'echo begin; test ! -e slow || { sleep 999 & echo $! > slow; wait; }; touch "$LUNA_SERVICE_DATA_DIR/made"',
    run: [process.execPath, '-e', server],
  },
  provides_vars: ['SMALL_PORT'],
  post_install_env: { SMALL_WORD: '{{word}}' },
  ui: { port_field: 'port' },
  ...more,
});

const homeWith = async (...definitions: { name: string }[]) =>
  homeOf(
    Object.fromEntries(definitions.map((one) => [`external_services/${one.name}/service.json`, JSON.stringify(one)])),
  );

const configOf = async ({ home }: RunningLuna) => JSON.parse(await readFile(join(home, 'master_config.json'), 'utf8'));

/** The events of a Luna, as they come. */
async function eventsOf(running: RunningLuna): Promise<{ type: string; [key: string]: unknown }[]> {
  const { SUPERVISOR_API_TOKEN: token } = await running.env();
  const { body } = await fetch(`${running.url}/api/supervisor/events`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const events: { type: string }[] = [];
  void (async () => {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? [])
      for (const [, data = ''] of chunk.matchAll(/^data: (.*)$/gm)) events.push(JSON.parse(data));
  })().catch(() => undefined);
  await eventually(() => expect(events).toMatchObject([{ type: 'hello' }]));
  return events;
}

test('nobody gets at external services without leave, in whatever letters they write it', async () => {
  const running = await launchLuna(await homeWith(await definition()));
  for (const path of ['available', 'installed', 'small', 'small/logs', 'routes', ''])
    for (const root of ['/api/external-services', '/API/External-Services', '/api/EXTERNAL-services'])
      expect((await fetch(`${running.url}${root}/${path}`)).status).toBe(401);
  for (const verb of ['install', 'uninstall', 'start', 'stop', 'restart', 'enable', 'disable'])
    expect((await fetch(`${running.url}/api/external-services/small/${verb}`, { method: 'POST' })).status).toBe(401);
  const upload = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  expect((await fetch(`${running.url}/api/external-services/upload`, upload)).status).toBe(401);
  expect((await ask(running, 'GET', 'available')).status).toBe(200);
});

test('a service is installed over the API: told as it goes, kept by the configuration, and up again with Luna', async () => {
  const running = await launchLuna(await homeWith(await definition()));
  const { services: available } = await (await ask(running, 'GET', 'available')).json();
  expect(available.map(({ name }: { name: string }) => name)).toEqual([
    ...['grocy', 'postgres', 'postgres-local', 'redis', 'redis-local', 'small'],
  ]);
  expect(await (await ask(running, 'GET', 'installed')).json()).toEqual({ services: [] });

  const events = await eventsOf(running);
  const asked = await ask(running, 'POST', 'small/install', {});
  expect([asked.status, await asked.json()]).toMatchObject([202, { name: 'small', status: 'installing' }]);
  const installed = await untilService(running, 'small', {
    status: 'running',
    enabled: true,
    path: '/ext_service/small/',
  });
  await eventually(() => {
    expect(events).toContainEqual({ type: 'external-service.output', name: 'small', line: 'begin' });
    expect(events).toContainEqual({ type: 'external-services.changed', name: 'small' });
  });
  const { port } = installed.config;
  expect(await (await fetch(`http://127.0.0.1:${port}/x`)).text()).toBe('it is /x');
  const { SMALL_WORD: word = '', ...env } = await running.env();
  expect(env.SMALL_PORT).toBe(String(port));
  expect(word).toMatch(/^[\w-]{32}$/);
  await eventually(async () =>
    expect((await configOf(running)).external_services).toEqual({ small: { enabled: true, config: { port } } }),
  );
  expect(await (await ask(running, 'GET', 'routes')).json()).toMatchObject({ routes: [{ slug: 'small', port }] });
  await eventually(async () =>
    expect(await (await ask(running, 'GET', 'small/logs?lines=5')).text()).toContain('listening'),
  );

  const following = await ask(running, 'GET', 'small/logs?lines=0&follow=true');
  const reader = following.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await ask(running, 'POST', 'small/restart', {})).status).toBe(200);
  let followed = '';
  while (!followed.includes('listening')) followed += (await reader?.read())?.value ?? 'ended: listening';
  expect(followed).toContain('── run');
  await reader?.cancel();

  await running.stop();
  const next = await launchLuna(running.home);
  const up = await untilService(next, 'small', { status: 'running' });
  expect((await ask(next, 'POST', 'small/disable', {})).status).toBe(200);
  await untilService(next, 'small', { status: 'stopped', enabled: false });
  expect(await runs(up.pid)).toBe(false);
  await next.stop();
  const last = await launchLuna(running.home);
  expect(await serviceOf(last, 'small')).toMatchObject({ status: 'stopped', enabled: false, installed: true });

  // The file decides as well.
  const file = join(last.home, 'master_config.json');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/("small": \{\s*"enabled": )false/, '$1true'));
  await untilService(last, 'small', { status: 'running', enabled: true });
  expect((await ask(last, 'POST', 'small/uninstall', {})).status).toBe(204);
  expect((await configOf(last)).external_services).toEqual({});
  expect((await last.env()).SMALL_WORD).toBeUndefined();
});

test('a Luna that is killed in the middle of an install says so afterwards, and the install can be repeated', async () => {
  const home = await homeWith(await definition());
  await writeFile(join(home, 'slow'), '');
  const running = await launchLuna(home);
  await ask(running, 'POST', 'small/install', {});
  const left = await eventually(async () => {
    const text = await readFile(join(home, 'slow'), 'utf8');
    expect(text).toMatch(/\d+\n/);
    return Number(text);
  });
  const { pid } = await (await running.api('GET', 'status')).json();
  process.kill(pid, 'SIGKILL');
  await eventually(async () => {
    const now = await serviceOf(running, 'small');
    expect(now).toMatchObject({ status: 'install_failed', installed: false });
    expect(now.reason).toContain('The install broke off');
  });
  expect(await runs(left)).toBe(false);
  expect((await ask(running, 'POST', 'small/start', {})).status).toBe(409);
  await rm(join(home, 'slow'));
  expect((await service(running, 'install', 'small')).code).toBe(0);
  expect(await serviceOf(running, 'small')).toMatchObject({ status: 'running', installed: true, hasData: true });
});

test('what a killed Luna has left running is ended by the next, which starts it anew', async () => {
  const running = await launchLuna(await homeWith(await definition()));
  expect((await service(running, 'install', 'small', '--json')).code).toBe(0);
  const { pid: left } = await serviceOf(running, 'small');
  const { pid } = await (await running.api('GET', 'status')).json();
  await running.kill();
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has noticed that its launcher is gone.
  }
  const next = await launchLuna(running.home);
  const up = await untilService(next, 'small', { status: 'running' });
  expect(up.pid).not.toBe(left);
  expect(await runs(left)).toBe(false);
});

test('bad requests are refused with what is wrong', async () => {
  const running = await launchLuna(await homeWith(await definition(), { name: 'broken' }));
  const refused = async (method: string, path: string, body?: unknown) => {
    const answer = await ask(running, method, path, body);
    const { error } = await answer.json();
    return [answer.status, error.code, error.message];
  };
  const words = (text: string) => expect.stringContaining(text);
  expect(await refused('POST', 'small/install', { config: { colour: 'red' } })).toEqual([
    ...[400, 'invalid_input', words('no setting "colour"')],
  ]);
  expect(await refused('POST', 'small/install', { config: { port: 0 } })).toEqual([
    400,
    'invalid_input',
    words('"port"'),
  ]);
  expect(await refused('POST', 'small/install', { config: 'x' })).toEqual([400, 'invalid_input', words('config')]);
  expect(await refused('GET', 'nothing')).toEqual([404, 'not_found', words('"nothing"')]);
  expect(await refused('GET', 'nothing/logs')).toEqual([404, 'not_found', words('"nothing"')]);
  expect(await refused('POST', 'constructor/start', {})).toEqual([404, 'not_found', words('"constructor"')]);
  expect(await refused('GET', 'broken')).toEqual([422, 'config_invalid', words('broken/service.json:1:1: commands')]);
  expect(await refused('GET', '.hidden')).toEqual([400, 'invalid_input', words('cannot be the name')]);
  expect((await ask(running, 'GET', '..%2f..%2fx')).status).toBe(400);
  expect((await ask(running, 'GET', 'small/logs?lines=many')).status).toBe(400);

  expect(await refused('POST', 'upload', '{\n  "name": "up",\n  "commands": { "run": [] }\n}')).toEqual([
    ...[422, 'config_invalid', words('service.json:3:')],
  ]);
  expect(await refused('POST', 'upload', '{"name": ')).toEqual([400, 'invalid_input', words('JSON')]);
  const good = { name: 'up', commands: { run: ['true'] } };
  expect((await ask(running, 'POST', 'upload', { service_definition: good })).status).toBe(201);
  expect(await serviceOf(running, 'up')).toMatchObject({ status: 'not_installed', commands: { run: ['true'] } });

  await ask(running, 'POST', 'small/install', {});
  await untilService(running, 'small', { status: 'running' });
  expect(await refused('POST', 'upload', await definition())).toEqual([409, 'conflict', words('installed')]);
});

test('the terminal lists, shows, adds and installs, and keeps secrets out of its arguments', async () => {
  const running = await launchLuna(await homeWith());
  const file = join(running.home, 'small.json');
  await writeFile(file, JSON.stringify(await definition({ helth: 1 })));
  expect((await service(running, 'add', file)).stdout).toContain('luna service install small');
  expect((await service(running, 'list')).stdout).toMatch(/small +available +Something small/);
  expect((await service(running, 'show', 'small')).stdout).toMatch(
    /"helth", which Luna does not[\s\S]*word +\(not set\)/,
  );
  expect(await service(running, 'install', 'small', '--set', 'word=12345678')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"word" is a secret'),
  });
  expect((await service(running, 'install', 'small', '--set', 'nonsense')).code).toBe(1);
  const installed = await service(running, 'install', 'small', '--disabled', '--json');
  expect(JSON.parse(installed.stdout)).toMatchObject({ name: 'small', installed: true });
  await untilService(running, 'small', { status: 'stopped', enabled: false });
  expect((await service(running, 'enable', 'small', '--json')).code).toBe(0);
  await untilService(running, 'small', { status: 'running', enabled: true });
  expect(JSON.parse((await service(running, 'list', '--json')).stdout)).toMatchObject({
    installed: [{ name: 'small', status: 'running' }],
  });
  const broken = await service(running, 'start', 'nothing', '--json');
  expect([broken.code, JSON.parse(broken.stderr).error.code]).toEqual([1, 'not_found']);
});

test('a zip file brings a definition with its files; one that attacks brings nothing', async () => {
  const running = await launchLuna(await homeWith());
  const send = async (bytes: Buffer) => {
    const { SUPERVISOR_API_TOKEN: token } = await running.env();
    return fetch(`${running.url}/api/external-services/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/zip' },
      body: new Uint8Array(bytes),
    });
  };
  const text = JSON.stringify(await definition({ commands: { run: ['sh', '{{service_dir}}/run.sh'] } }));
  const file = { name: 'small/service.json', content: text };
  const attack = await send(zipOf([file, { name: '../../escaped.sh', content: 'x' }]));
  expect([attack.status, (await attack.json()).error.code]).toEqual([400, 'invalid_input']);
  expect((await send(Buffer.from('no zip file'))).status).toBe(400);
  expect((await send(zipOf([{ name: 'other.json', content: '{}' }]))).status).toBe(400);
  expect(await readdir(join(running.home, 'external_services'))).toEqual([]);

  const script = `exec ${JSON.stringify(process.execPath)} -e ${JSON.stringify(server)}`;
  const finders = { name: '__MACOSX/._small', content: 'x' };
  const good = await send(zipOf([file, finders, { name: 'small/run.sh', content: script }]));
  expect([good.status, await good.json()]).toMatchObject([201, { name: 'small', status: 'not_installed' }]);
  expect((await service(running, 'install', 'small')).code).toBe(0);
});

test('the update queue installs a service, and tells why one could not be', async () => {
  const running = await launchLuna(
    await homeWith(
      await definition(),
      await definition({ name: 'other', commands: { run: ['false'] }, provides_vars: [], post_install_env: {} }),
    ),
  );
  const operations = ['small', 'other'].map((name) => ({ type: 'install_external_service', name }));
  expect((await running.api('POST', 'queue/save', { operations })).status).toBe(200);
  expect((await running.api('POST', 'queue/apply')).status).toBe(202);
  await untilService(running, 'small', { status: 'running', enabled: true });
  await untilService(running, 'other', { status: 'install_failed' });
  await eventually(
    async () =>
      expect(JSON.stringify(await (await running.api('GET', 'queue/current')).json())).toContain('exit code 1'),
    20_000,
  );
});

test('settings of a queued install are judged when they are saved, and their secrets are never shown', async () => {
  const running = await startLuna(await homeWith(await definition()));
  const wanted = (config: object, more = {}) => ({ type: 'install_external_service', name: 'small', config, ...more });
  const save = (...operations: object[]) => running.api('POST', 'queue/save', { operations });
  const current = async () => (await running.api('GET', 'queue/current')).json();

  const refused = await save(wanted({ port: 99_999 }));
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { details: { field: 'port' } } }]);
  expect((await save({ ...wanted({}), name: 'nobody' })).status).toBe(404);
  const saved = await save(wanted({ port: await freePort(), word: 'a-word-nobody-hears' }));
  expect(await saved.text()).not.toContain('nobody-hears');
  const { queue } = await current();
  expect(JSON.stringify(queue)).not.toContain('nobody-hears');
  expect(queue.operations).toMatchObject([{ secrets: ['word'] }]);

  // Saved again as it was shown, it is what it was.
  const { state: _state, ...shown } = queue.operations[0];
  expect((await save(shown)).status).toBe(200);
  expect((await running.api('POST', 'queue/apply')).status).toBe(202);
  await untilService(running, 'small', { status: 'running' });
  await eventually(async () => expect((await running.env()).SMALL_WORD).toBe('a-word-nobody-hears'));
  await eventually(async () => expect(await current()).toMatchObject({ queue: null, last: { outcome: 'done' } }));
  expect(JSON.stringify(await current())).not.toContain('nobody-hears');
});
