import { describe, expect, test } from 'vitest';
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
    'good!': 'another server became "good" already',
  });
});

test('names that objects of JavaScript have are no way in', () => {
  const { servers } = importMcpServers(JSON.parse('{ "mcpServers": { "__proto__": { "command": "x" } } }'));
  expect(Object.getPrototypeOf(servers)).toBe(Object.prototype);
  expect({}).not.toHaveProperty('command');
});

test.each([
  [null],
  [7],
  ['{}'],
  [[]],
  [{}],
  [{ mcpServers: [] }],
  [{ mcpServers: { a: 'x' } }],
  [{ mcpServers: { a: { command: 'x', args: 'y' } } }],
  [{ servers: 7 }],
])('%j is no such document', (document) => {
  expect(() => importMcpServers(document)).toThrow('This is not a list of MCP servers');
});

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
