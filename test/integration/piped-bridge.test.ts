import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { homeOf } from './support/homes.ts';
import { repository, startLuna } from './support/luna-process.ts';

/** What scripts do with `luna mcp`: they write all that they have to say, close its input, and read what comes. */

const tools = `export const TOOLS = [
  { name: 'echo', description: 'Echoes.', handler: (args) => JSON.stringify(args) },
  { name: 'slow', description: 'Takes a moment.', handler: () => new Promise((settle) => setTimeout(settle, 300, 'slept')) },
];\n`;
const initialize = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'script', version: '1' } },
};
const call = (id: number, name: string, args = {}) => ({ id, method: 'tools/call', params: { name, arguments: args } });
const textOf = (message: object) => JSON.stringify({ jsonrpc: '2.0', ...message });

async function piped(home: string, lines: readonly string[]) {
  const launcher = join(repository, 'packages', 'server', 'bin', 'luna.mjs');
  const bridge = spawn(process.execPath, [launcher, 'mcp', '--home', home]);
  onTestFinished(() => void bridge.kill('SIGKILL'));
  const texts = { stdout: '', stderr: '' };
  bridge.stdout.on('data', (chunk) => (texts.stdout += chunk));
  bridge.stderr.on('data', (chunk) => (texts.stderr += chunk));
  bridge.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const [code] = await once(bridge, 'close');
  const answers = texts.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { code, stderr: texts.stderr, answers };
}

test('all that was asked before the input ended is answered, and nothing is written that belongs elsewhere', async () => {
  const luna = await startLuna(await homeOf({ 'extensions/t/tools/t_tools.js': tools }));
  const asked = [initialize, { method: 'notifications/initialized' }, call(2, 'slow'), call(3, 'echo', { a: 1 })];
  const { answers, ...rest } = await piped(luna.home, asked.map(textOf));
  expect(rest).toEqual({ code: 0, stderr: '' });
  expect(answers[0]).toMatchObject({ id: 1, result: { protocolVersion: '2025-06-18' } });
  expect(answers.slice(1).sort((one, other) => one.id - other.id)).toMatchObject([
    { id: 2, result: { content: [{ text: 'slept' }] } },
    { id: 3, result: { content: [{ text: '{"a":1}' }] } },
  ]);
});

test('lines that are no messages are told of in one line each, and passed over', async () => {
  const luna = await startLuna(await homeOf({ 'extensions/t/tools/t_tools.js': tools }));
  const { answers, stderr, code } = await piped(luna.home, [
    '[]',
    textOf(initialize),
    '{"no":"message"}',
    textOf(call(2, 'echo')),
  ]);
  expect(code).toBe(0);
  expect(answers.map(({ id }) => id)).toEqual([1, 2]);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringContaining('no message of JSON-RPC'),
    expect.stringContaining('no message of JSON-RPC'),
  ]);
});

test('with nothing to carry it ends', async () => {
  const luna = await startLuna(await homeOf({}));
  expect(await piped(luna.home, [])).toEqual({ code: 0, stderr: '', answers: [] });
});
