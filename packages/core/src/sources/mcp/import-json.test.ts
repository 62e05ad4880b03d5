import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseJsonText } from '../../config/index.ts';
import { idOf, importMcpServers } from './import-json.ts';

describe('a document of', () => {
  test('Claude Desktop', () => {
    const document = {
      globalShortcut: 'Ctrl+Space',
      mcpServers: {
        files: { command: 'npx', args: ['-y', 'server-filesystem', '/data'], env: { DEBUG: '1' } },
        'My Notes!': { command: 'uvx', args: ['notes'] },
      },
    };
    expect(importMcpServers(document)).toEqual({
      servers: {
        files: { enabled: true, command: 'npx', args: ['-y', 'server-filesystem', '/data'], env: { DEBUG: '1' } },
        'My-Notes': { enabled: true, command: 'uvx', args: ['notes'], title: 'My Notes!' },
      },
      skipped: [],
      needs: {},
    });
  });

  test('Claude Code', () => {
    const document = {
      mcpServers: {
        github: { type: 'http', url: 'https://a.example/mcp', headers: { Authorization: 'Bearer ${TOKEN}' } },
        older: { type: 'sse', url: 'https://b.example/sse' },
        local: { type: 'stdio', command: 'node', args: ['server.js'], env: {} },
      },
    };
    expect(importMcpServers(document).servers).toEqual({
      github: { enabled: true, url: 'https://a.example/mcp', headers: { Authorization: 'Bearer ${TOKEN}' } },
      older: { enabled: true, url: 'https://b.example/sse', transport: 'sse' },
      local: { enabled: true, command: 'node', args: ['server.js'], env: {} },
    });
  });

  test('Cursor, with references and servers that are off', () => {
    const document = {
      mcpServers: {
        a: { command: 'x', args: ['--key', '${env:KEY}'], env: { A: '${env:A}-${env:B}' }, disabled: true },
        b: { serverUrl: 'https://b.example/mcp', headers: { 'X-Key': '${env:KEY}' }, transport: 'streamable-http' },
      },
    };
    expect(importMcpServers(document).servers).toEqual({
      a: { enabled: false, command: 'x', args: ['--key', '${KEY}'], env: { A: '${A}-${B}' } },
      b: { enabled: true, url: 'https://b.example/mcp', headers: { 'X-Key': '${KEY}' } },
    });
  });

  test('VS Code, its own file and the part of its settings', () => {
    const servers = { a: { type: 'stdio', command: 'x', cwd: 'sub' } };
    const expected = { a: { enabled: true, command: 'x', cwd: 'sub' } };
    expect(importMcpServers({ servers, inputs: [] }).servers).toEqual(expected);
    expect(importMcpServers({ 'editor.tabSize': 2, mcp: { servers } }).servers).toEqual(expected);
  });
});

test('a file of Claude Code: references with defaults, in the address too, and a client that was registered', () => {
  const document = {
    mcpServers: {
      api: {
        type: 'http',
        url: '${API_BASE_URL:-https://api.example.com}/mcp',
        headers: { Authorization: 'Bearer ${API_KEY}', 'X-Team': '${TEAM:-none}' },
        oauth: { clientId: 'luna-at-home', callbackPort: 8080 },
      },
      local: { command: '${BIN:-/usr/bin}/tool', args: ['--level', '${LEVEL:-info}'], timeout: 600000 },
    },
  };
  expect(importMcpServers(document)).toEqual({
    servers: {
      api: {
        enabled: true,
        url: 'https://api.example.com/mcp',
        headers: { Authorization: 'Bearer ${API_KEY}', 'X-Team': '${TEAM:-none}' },
        oauth: { client_id: 'luna-at-home' },
      },
      local: { enabled: true, command: '/usr/bin/tool', args: ['--level', '${LEVEL:-info}'] },
    },
    skipped: [],
    needs: { api: ['API_KEY'] },
  });
});

test('a file of Cursor: a registered client, a file of variables, the home of the person', () => {
  const document = {
    mcpServers: {
      team: {
        url: 'https://t.example/mcp',
        auth: { CLIENT_ID: '${env:ID}', CLIENT_SECRET: '${env:S}', scopes: ['a', 'b'] },
      },
      files: { command: 'npx', args: ['-y', 'files', '${userHome}${/}docs'], envFile: '${userHome}/.env' },
    },
  };
  const { servers, needs } = importMcpServers(document);
  expect(servers).toEqual({
    team: {
      enabled: true,
      url: 'https://t.example/mcp',
      oauth: { client_id: '${ID}', client_secret: '${S}', scope: 'a b' },
    },
    files: {
      enabled: true,
      command: 'npx',
      args: ['-y', 'files', join(homedir(), 'docs')],
      env_file: `${homedir()}/.env`,
    },
  });
  expect(needs).toEqual({ team: ['ID', 'S'] });
});

test('a file of VS Code: comments, inputs with and without a default, numbers, variables that are taken away', () => {
  const text = `{
    // The servers of this workspace.
    "inputs": [
      { "type": "promptString", "id": "github-token", "description": "Token", "password": true },
      { "type": "pickString", "id": "region", "options": ["eu", "us"], "default": "eu" },
    ],
    "servers": {
      "github": { "type": "http", "url": "https://g.example/mcp", "headers": { "Authorization": "Bearer \${input:github-token}" } },
      "db": {
        "type": "stdio",
        "command": "npx",
        "args": ["db", "\${input:region}", "\${workspaceFolder}"],
        "env": { "PORT": 5432, "DEBUG": null, "TLS": true },
        "envFile": ".env.db", /* beside the home */
      },
    },
  }`;
  expect(importMcpServers(parseJsonText(text, z.unknown(), 'mcp.json'))).toEqual({
    servers: {
      github: { enabled: true, url: 'https://g.example/mcp', headers: { Authorization: 'Bearer ${GITHUB_TOKEN}' } },
      db: {
        enabled: true,
        command: 'npx',
        args: ['db', '${REGION:-eu}', '${workspaceFolder}'],
        env: { PORT: '5432', TLS: 'true' },
        env_file: '.env.db',
      },
    },
    skipped: [],
    needs: { github: ['GITHUB_TOKEN'], db: ['workspaceFolder'] },
  });
});

test('the inner part alone, as people copy it', () => {
  const document = { a: { command: 'x' }, b: { httpUrl: 'https://b.example/mcp', url: 'https://b.example/sse' } };
  expect(Object.keys(importMcpServers(document).servers)).toEqual(['a', 'b']);
});

test('what cannot be taken over is told with the reason, and the rest is taken', () => {
  const document = {
    mcpServers: {
      good: { command: 'x' },
      neither: {},
      empty: { command: '' },
      file: { url: 'file:///etc/passwd' },
      script: { url: 'javascript:alert(1)' },
      'no url': { url: 'localhost:80' },
      '!!!': { command: 'x' },
      'good!': { command: 'y' },
      constructor: { command: 'x' },
      text: 'x',
      'odd args': { command: 'x', args: 'y' },
      'secret of luna': { url: 'https://evil.example', headers: { a: '${env:SUPERVISOR_API_TOKEN}' } },
      'key in url': { url: 'https://a.example/?key=${KEY}' },
    },
  };
  const { servers, skipped } = importMcpServers(document);
  expect(Object.keys(servers).sort()).toEqual(['constructor', 'good']);
  expect(Object.fromEntries(skipped.map(({ name, reason }) => [name, reason]))).toEqual({
    neither: 'it has neither "url" nor "command"',
    empty: 'it has neither "url" nor "command"',
    file: 'its address "file:///etc/passwd" is not an http(s) URL',
    script: 'its address "javascript:alert(1)" is not an http(s) URL',
    'no url': 'its address "localhost:80" is not an http(s) URL',
    '!!!': 'its name has no letter or digit',
    text: expect.stringContaining('form of a server'),
    'odd args': expect.stringContaining('args'),
    'secret of luna': 'it asks for a key of Luna itself',
    'key in url': expect.stringContaining('only headers may'),
    'good!': 'another server became "good" already',
  });
});

test('names that objects of JavaScript have are no way in', () => {
  const { servers } = importMcpServers(JSON.parse('{ "mcpServers": { "__proto__": { "command": "x" } } }'));
  expect(Object.getPrototypeOf(servers)).toBe(Object.prototype);
  expect({}).not.toHaveProperty('command');
});

test.each([[null], [7], ['{}'], [[]], [{}], [{ mcpServers: [] }], [{ servers: 7 }]])(
  '%j is no such document',
  (document) => {
    expect(() => importMcpServers(document)).toThrow('This is not a list of MCP servers');
  },
);

test.each([
  ['plain', 'plain'],
  ['My Server!', 'My-Server'],
  ['  @scope/name  ', 'scope-name'],
  ['..hidden', 'hidden'],
  ['a.b_c-d', 'a.b_c-d'],
  ['日本', ''],
  ['x'.repeat(80), 'x'.repeat(64)],
])('%j becomes the id %j', (name, id) => {
  expect(idOf(name)).toBe(id);
});
