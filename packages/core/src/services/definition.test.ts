import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDefinition, readDefinition, unknownFields } from './definition.ts';

const shipped = join(import.meta.dirname, '..', '..', '..', 'server', 'external_services');
const least = { name: 'it', commands: { start: 'a', stop: 'b', health_check: 'c' } };
const parse = (definition: unknown) => parseDefinition(JSON.stringify(definition, null, 2), 'service.json');

test('every definition that Luna brings can be read, and has nothing unknown', async () => {
  const names = await readdir(shipped);
  expect(names).toEqual(['grocy', 'postgres', 'postgres-local', 'redis', 'redis-local']);
  for (const name of names) expect(unknownFields(await readDefinition(join(shipped, name), name))).toEqual([]);
});

test('the definition in the guide is a good one', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../../docs/snippets/service.json'), 'utf8');
  expect(unknownFields(parseDefinition(text, 'service.json'))).toEqual([]);
});

test('the older form, with its commands beside the rest, becomes the newer one', () => {
  const { commands, health_check_expected, ...rest } = parse({
    name: 'grocy',
    display_name: 'Grocy',
    description: 'Stock',
    category: 'application',
    version: '4',
    install_cmd: 'docker run -d -p {{port}}:80 grocy',
    uninstall_cmd: 'docker rm -f grocy',
    start_cmd: 'docker start grocy',
    stop_cmd: 'docker stop grocy',
    restart_cmd: null,
    health_check_cmd: "docker ps --format '{{.Status}}'",
    health_check_expected: 'Up',
    enable_startup_cmd: 'docker update --restart always grocy',
    required_vars: ['port'],
    requires_sudo: false,
    install_timeout: 90,
    config_form: { fields: [{ name: 'port', label: 'Port', type: 'number', default: 9283 }] },
    ui: { slug: 'grocy', port_field: 'port', base_path: '/ext_service/' },
  });
  expect(Object.keys(commands).sort()).toEqual(
    ['enable_startup', 'health_check', 'install', 'start', 'stop', 'uninstall'].sort(),
  );
  expect(commands.install).toEqual({ command: 'docker run -d -p {{port}}:80 grocy', env: {} });
  expect(health_check_expected).toBe('Up');
  expect(rest).toMatchObject({
    install_timeout: 90,
    restart_on_failure: true,
    ui: { base_path: 'ext_service', scheme: 'http', strip_prefix: true, open_mode: 'iframe' },
  });
});

test('commands may be a text, a list, or either with variables and an input', () => {
  const { commands } = parse({
    name: 'it',
    commands: {
      run: ['server', '{{data_dir}}'],
      health_check: { command: 'ask', env: { KEY: '{{name}}' }, stdin: 'x', timeout_seconds: 3 },
    },
  });
  expect(commands).toMatchObject({
    run: { command: ['server', '{{data_dir}}'], env: {} },
    health_check: { command: 'ask', env: { KEY: '{{name}}' }, stdin: 'x', timeout_seconds: 3 },
  });
});

test('a field that nobody knows is kept, and told', () => {
  const definition = parse({ ...least, helth: 1, commands: { ...least.commands, instal: 'x' } });
  expect(definition).toMatchObject({ helth: 1 });
  expect(unknownFields(definition)).toEqual(['helth', 'commands.instal']);
});

test.each([
  ['text that is no JSON', '{\n  "name": "it",\n  "commands" {}\n}', 3, 14, 'not valid JSON'],
  ['no text at all', '', 1, 1, 'value expected'],
  ['a list', '[]', 1, 1, ''],
])('%s is told with line and column', (_what, text, line, column, words) => {
  expect(() => parseDefinition(text, 'service.json')).toThrow(
    expect.objectContaining({
      code: 'config_invalid',
      message: expect.stringMatching(new RegExp(`^service\\.json:${line}:${column}: .*${words}`)),
    }),
  );
});

const field = (more: object) => ({ ...least, config_form: { fields: [{ name: 'word', ...more }] } });
const run = (command: unknown) => ({ ...field({ secret: true }), commands: { run: command } });

test.each([
  ['a name that leads elsewhere', { ...least, name: '../it' }, 2, 'use 1-64 letters'],
  ['a number as name', { ...least, name: 7 }, 2, ''],
  ['no commands', { name: 'it' }, 1, '"start", "stop", "health_check" is missing'],
  ['commands that are a text', { name: 'it', commands: 'x' }, 3, ''],
  ['both run and start', { name: 'it', commands: { run: 'a', start: 'b' } }, 5, 'leave this command out'],
  ['an empty list as command', { name: 'it', commands: { run: [] } }, 4, ''],
  ['a command with a field too many', { name: 'it', commands: { run: { command: 'a', shell: true } } }, 4, ''],
  ['a placeholder without a field', { name: 'it', commands: { run: 'a {{port}}' } }, 4, 'there is no field "port"'],
  ['a secret as argument', run(['a', '{{word}}']), 4, 'by "env" or "stdin"'],
  ['a value within a second shell', run('sh -c "a {{word}}"'), 4, 'second shell'],
  ['a field of an unknown type', field({ type: 'colour' }), 12, ''],
  ['a field that is called like something else', field({ name: 'data_dir' }), 11, 'stand for something else'],
  ['a field that is called like every object', field({ name: '__proto__' }), 11, 'starting with a letter'],
  ['a select without options', field({ type: 'select' }), 0, '"options"'],
  ['a key of Luna', { ...least, post_install_env: { LUNA_TOKEN: 'x' } }, 9, "Luna's own"],
  ['a provided key of Luna', { ...least, provides_vars: ['MCP_SERVER_X_API_KEY'] }, 9, "Luna's own"],
  ['a key with a line break', { ...least, post_install_env: { 'A\nB': 'x' } }, 9, 'letters, digits'],
  ['an interface below the API', { ...least, ui: { port: 1, base_path: 'api/supervisor' } }, 10, '"ext_service"'],
  ['an interface with two ports', { ...least, ui: { port: 1, port_field: 'x' } }, 8, 'either'],
  ['an interface with a port that is no field', { ...least, ui: { port_field: 'x' } }, 9, 'there is no field "x"'],
  ['a port that is none', { ...least, ui: { port: 70_000 } }, 9, ''],
  ['a time that is none', { ...least, start_timeout: -1 }, 8, ''],
])('%s is refused, with its line', (_what, definition, line, words) => {
  let message = '';
  try {
    parse(definition);
  } catch (thrown) {
    message = String((thrown as Error).message);
  }
  if (line > 0) expect(message).toMatch(new RegExp(`^service\\.json:${line}:\\d+: `));
  expect(message).toContain(words);
  expect(message).not.toBe('');
});

test('two fields that differ only in case are refused: they would be one variable', () => {
  const fields = [{ name: 'port' }, { name: 'PORT' }];
  expect(() => parse({ ...least, config_form: { fields } })).toThrow('there are two fields "PORT"');
});
