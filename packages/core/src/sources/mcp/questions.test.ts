import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import type { CallClient, McpObject, SourceCall } from '../../tools/index.ts';
import { McpSource } from './source.ts';

/**
 * A server of 2025-11-25 on standard streams that asks its client during each call, and answers with what it was told;
 * `wait` holds its question back until a call of `go`.
 */
const script = `
const send = (message) => console.log(JSON.stringify({ jsonrpc: '2.0', ...message }));
const tool = (name) => ({ name, inputSchema: { type: 'object' } });
const asked = new Map();
const waiting = [];
let last = 0;
const ask = (id) => {
  const question = 'q' + ++last;
  asked.set(question, id);
  send({ id: question, method: 'elicitation/create', params: { message: 'who?', requestedSchema: { type: 'object' } } });
};
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params, result, error } = JSON.parse(line);
  if (method === 'initialize') send({ id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } } });
  else if (method === 'tools/list') send({ id, result: { tools: [tool('ask'), tool('wait'), tool('go')] } });
  else if (method === 'tools/call') {
    if (params.name === 'ask') ask(id);
    if (params.name === 'wait') waiting.push(id);
    if (params.name === 'go') { waiting.splice(0).forEach(ask); send({ id, result: { content: [] } }); }
  } else if (asked.has(id)) send({ id: asked.get(id), result: { content: [{ type: 'text', text: JSON.stringify(result ?? error) }] } });
  else if (id !== undefined && method) send({ id, error: { code: -32601, message: 'unknown' } });
});`;

async function askingServer(): Promise<McpSource> {
  const file = join(await temporaryFolder(), 'server.cjs');
  await writeFile(file, script);
  const source = new McpSource({ id: 's', target: { kind: 'stdio', command: process.execPath, args: [file] } });
  onTestFinished(() => source.close());
  await source.start();
  expect(source.health()).toMatchObject({ status: 'ready' });
  return source;
}

function client(key: string, capabilities: McpObject = { elicitation: {} }): SourceCall & { client: CallClient } {
  const asks: CallClient = {
    key,
    capabilities,
    takesQuestionsAsResults: false,
    ask: async () => ({ action: 'accept', content: { key } }),
    tell: () => undefined,
  };
  return { signal: new AbortController().signal, client: asks };
}

const textOf = async (result: Promise<McpObject>) => JSON.stringify(await result);

test('a question reaches the client whose call is under way', async () => {
  const source = await askingServer();
  for (const key of ['ann', 'bob']) expect(await textOf(source.call('ask', {}, client(key)))).toContain(key);
});

test('while calls of several clients are under way, none is asked what may be meant for another', async () => {
  const source = await askingServer();
  const calls = ['ann', 'bob'].map((key) => textOf(source.call('wait', {}, client(key))));
  await source.call('go', {}, client('bob'));
  for (const answer of await Promise.all(calls)) {
    expect(answer).toContain('cannot be told which client');
    expect(answer).not.toContain('accept');
  }
});

test('several calls of one client are no reason to refuse', async () => {
  const source = await askingServer();
  const calls = [1, 2].map(() => textOf(source.call('wait', {}, client('ann'))));
  await source.call('go', {}, client('ann'));
  for (const answer of await Promise.all(calls)) expect(answer).toContain('ann');
});

test.each([
  ['has not declared that it can answer', {}, 'has not declared'],
  ['has', { elicitation: {} }, 'accept'],
])('a client that %s', async (_what, capabilities, answer) => {
  const source = await askingServer();
  expect(await textOf(source.call('ask', {}, client('ann', capabilities)))).toContain(answer);
});

test('a call by nobody in particular gets the question refused', async () => {
  const source = await askingServer();
  const { signal } = new AbortController();
  expect(await textOf(source.call('ask', {}, { signal }))).toContain('-32601');
});
