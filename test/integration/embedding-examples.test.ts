import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { modelKey, scriptedModel } from '../../packages/core/test/fixtures/scripted-model.ts';
import { eventually } from './support/eventually.ts';
import { repository } from './support/luna-process.ts';

/** Runs the main file of an example, as its README says. */
function run(example: string, file = 'main.ts', env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [file], {
    cwd: join(repository, 'examples', example),
    env: {
      ...process.env,
      ...env,
      PORT: '0',
      PATH: `${join(repository, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null || !child.kill()) return;
    await once(child, 'exit');
  });
  return child;
}

async function hubOf(example: string): Promise<Client> {
  const [line] = await once(run(example).stdout, 'data');
  const { port } = JSON.parse(String(line).replace('Hub at ', ''));
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)));
  onTestFinished(() => client.close());
  return client;
}

describe('the examples for embedders run', () => {
  test('a hub in a Koa app', async () => {
    const client = await hubOf('embed-koa');
    expect(await client.callTool({ name: 'list_directory', arguments: { path: '.' } })).toMatchObject({
      content: [{ text: expect.stringContaining('[FILE] main.ts') }],
    });
  });

  test('a hub in an Express app that shows only what reads', async () => {
    const client = await hubOf('embed-express');
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    expect(names).toContain('read_text_file');
    expect(names).not.toContain('write_file');
    await expect(client.callTool({ name: 'write_file', arguments: { path: 'x', content: 'x' } })).rejects.toThrow(
      'Unknown tool',
    );
  });

  test('a hub in plain node:http', async () => {
    const client = await hubOf('embed-node-http');
    expect(await client.callTool({ name: 'get-sum', arguments: { a: 20, b: 22 } })).toMatchObject({
      content: [{ text: expect.stringContaining('42') }],
    });
  });

  test('a supervisor of two programs, which leaves nothing behind', async () => {
    const child = run('supervise');
    const states = new Map<string, { status: string; pid: number; restarts: number }>();
    child.stdout.on('data', (text) => {
      for (const line of String(text).trim().split('\n')) {
        const state = JSON.parse(line);
        states.set(state.name, state);
      }
    });
    await eventually(() => {
      expect(states.get('clock')?.restarts).toBeGreaterThan(0);
      expect(states.get('web')).toMatchObject({ status: 'running', restarts: 0 });
    });
    const web = states.get('web');
    child.kill();
    await once(child, 'exit');
    expect(() => process.kill(web?.pid ?? 0, 0)).toThrow();
  });

  test('a registry with a source of its own', async () => {
    const child = run('custom-source');
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output).toMatch(/\[ 'time' ][\s\S]*text: '20\d\d-/);
  });

  test('a whole Luna with a kind of source of its own', async () => {
    const child = run('custom-source', 'kind.ts');
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output).toBe('Tokyo\nLima\n');
  });

  test('an agent over a registry', async () => {
    const model = await scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { text: `There are ${messages.at(-1)?.content}.` }
        : { calls: [{ name: 'stock', args: { fruit: 'apples' } }] },
    );
    const child = run('agent', 'main.ts', { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: modelKey });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output).toMatch(/^There are 12\. \{ prompt_tokens: 20/);
  });
});
