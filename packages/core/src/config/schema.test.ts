import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { hubName, masterConfigJsonSchema, masterConfigSchema, sourceName } from './schema.ts';

test('an empty configuration is a whole one', () => {
  expect(masterConfigSchema.parse({})).toEqual({
    luna: {
      config_version: 1,
      version: '',
      timezone: 'UTC',
      default_llm: '',
      allowed_private_hosts: [],
      trusted_proxies: [],
      max_result_bytes: 1_048_576,
      git_protocols: ['https', 'ssh'],
      models: {},
      llm_concurrency: 64,
      llm_retries: 2,
      llm_timeout_seconds: 60,
      agent_limits: {
        max_steps: 25,
        max_parallel_calls: 8,
        max_argument_bytes: 262_144,
        max_result_characters: 50_000,
        timeout_seconds: 900,
      },
      agent_runs_days: 30,
      auto_update_hours: 24,
      min_release_age: 0,
    },
    deployment_mode: 'local',
    public_domain: '',
    extensions: {},
    tool_configs: {},
    remote_mcp_servers: {},
    mcp_servers: {},
    agent_presets: {},
    port_assignments: { extensions: {}, services: {} },
    external_services: {},
  });
});

test('keys that Luna does not know stay, at every level', () => {
  const odd = { odd: { kept: [1] } };
  const parsed = masterConfigSchema.parse({
    ...odd,
    luna: odd,
    extensions: { a: odd },
    tool_configs: { t: odd },
    remote_mcp_servers: { r: { command: 'x', ...odd } },
    mcp_servers: { h: { ...odd, tool_config: { t: odd } } },
    agent_presets: { p: odd },
    external_services: { s: odd },
  });
  expect(parsed).toMatchObject({
    ...odd,
    luna: odd,
    extensions: { a: { enabled: true, ...odd } },
    tool_configs: { t: odd },
    remote_mcp_servers: { r: odd },
    mcp_servers: { h: { ...odd, enabled: true, tool_config: { t: { ...odd } } } },
    agent_presets: { p: odd },
    external_services: { s: odd },
  });
});

test.each([
  ['main', true],
  ['a-1', true],
  ['a'.repeat(40), true],
  ['a'.repeat(41), false],
  ['', false],
  ['-a', false],
  ['A', false],
  ['a/b', false],
  ['../a', false],
  ['a\n', false],
  ['a%2e', false],
])('a hub may be named %j: %s', (name, legal) => {
  expect(hubName.safeParse(name).success).toBe(legal);
});

test.each([
  ['My.Server_1-x', true],
  ['a'.repeat(64), true],
  ['a'.repeat(65), false],
  ['', false],
  ['.hidden', false],
  ['..', false],
  ['a/b', false],
  ['a\\b', false],
  ['a\0', false],
  ['a b', false],
  ['__proto__', false],
])('a source may be named %j: %s', (name, legal) => {
  expect(sourceName.safeParse(name).success).toBe(legal);
});

test.each([
  [{ url: 'https://a.example/mcp' }, true],
  [{ url: 'http://a.example/mcp', transport: 'sse' }, true],
  [{ command: 'x', args: ['y'], env: { A: '${B}' }, cwd: 'z' }, true],
  [{ command: 'x', transport: 'stdio' }, true],
  [{}, false],
  [{ url: 'https://a.example', command: 'x' }, false],
  [{ url: 'https://a.example', transport: 'stdio' }, false],
  [{ command: 'x', transport: 'http' }, false],
  [{ command: '' }, false],
  [{ url: 'file:///etc/passwd' }, false],
  [{ url: 'javascript:alert(1)' }, false],
  [{ url: 'no url' }, false],
  [{ command: 'x', timeout_seconds: 0 }, false],
  [{ command: 'x', args: 'y' }, false],
])('a server may be %j: %s', (server, legal) => {
  expect(masterConfigSchema.safeParse({ remote_mcp_servers: { a: server } }).success).toBe(legal);
});

test('the JSON Schema for editors is one, and takes what Luna takes', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(masterConfigJsonSchema());
  expect(validate({})).toBe(true);
  expect(validate({ mcp_servers: { a: { tool_config: { t: {} } } }, odd: 1 })).toBe(true);
  expect(validate({ mcp_servers: { 'Not Legal': {} } })).toBe(false);
  expect(validate({ deployment_mode: 'elsewhere' })).toBe(false);
});

test.each([
  ['', true],
  ['luna.example.com', true],
  ['example.com:8443/luna', true],
  ['https://luna.example.com', false],
  ['example.com/luna/../x', false],
  ['example.com/api', false],
  ['example.com?luna', false],
])('public_domain %j: %s', (public_domain, isLegal) => {
  expect(masterConfigSchema.safeParse({ public_domain }).success).toBe(isLegal);
});
