import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import type { ToolProgress } from '../../tools/index.ts';
import { McpSource } from './source.ts';

/** A server that runs its tool only as a task: three looks later it is done, unless it was cancelled. */
const server = `
const { createInterface } = require('node:readline');
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
const heard = [];
let looks = 0;
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const answer = (result) => send({ id, result });
  if (id !== undefined) heard.push(method + (params.task ? ' as task' : ''));
  if (method === 'initialize') return answer({ protocolVersion: '2025-11-25', capabilities: { tools: {}, tasks: {} }, serverInfo: { name: 'tasks', version: '1' } });
  if (method === 'tools/list') return answer({ tools: [
    { name: 'slow', inputSchema: { type: 'object' }, execution: { taskSupport: 'required' } },
    { name: 'heard', inputSchema: { type: 'object' }, execution: { taskSupport: 'optional', other: 1 } } ] });
  if (method === 'tools/call' && params.name === 'heard') return answer({ content: [], structuredContent: { heard } });
  if (method === 'tools/call') return answer({ task: { taskId: 't1', status: 'working', pollInterval: 1 } });
  if (method === 'tasks/get') return answer({ taskId: 't1', status: ++looks < 3 ? 'working' : 'completed', statusMessage: 'look ' + looks, pollInterval: 1 });
  if (method === 'tasks/result') return answer({ content: [{ type: 'text', text: 'at last' }], odd: 1 });
  if (method === 'tasks/cancel') return answer({ taskId: 't1', status: 'cancelled' });
  if (id !== undefined) send({ id, error: { code: -32601, message: 'Method not found' } });
});`;

async function taskSource(): Promise<McpSource> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'server.cjs'), server);
  const target = { kind: 'stdio', command: process.execPath, args: ['server.cjs'], cwd } as const;
  const source = new McpSource({ id: 'tasks', target });
  onTestFinished(() => source.close());
  await source.start();
  return source;
}

const signal = new AbortController().signal;
const heardBy = async (source: McpSource) =>
  ((await source.call('heard', {}, { signal })).structuredContent as { heard: string[] }).heard;

test('a tool that runs only as a task is to clients one like any other', async () => {
  const source = await taskSource();
  expect(source.list()).toEqual([
    { name: 'slow', inputSchema: { type: 'object' } },
    { name: 'heard', inputSchema: { type: 'object' }, execution: { other: 1 } },
  ]);
  const heard: ToolProgress[] = [];
  const result = await source.call('slow', {}, { signal, onProgress: (progress) => heard.push(progress) });
  expect(result).toEqual({ content: [{ type: 'text', text: 'at last' }], odd: 1 });
  expect(heard.map(({ message }) => message)).toEqual(['look 1', 'look 2', 'look 3']);
  expect(await heardBy(source)).toEqual(expect.arrayContaining(['tools/call as task', 'tasks/get', 'tasks/result']));
});

test('withdrawing the call cancels the task', async () => {
  const source = await taskSource();
  const controller = new AbortController();
  const call = source.call('slow', {}, { signal: controller.signal, onProgress: () => controller.abort() });
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  const heard = await heardBy(source);
  expect(heard).toContain('tasks/cancel');
  expect(heard).not.toContain('tasks/result');
});
