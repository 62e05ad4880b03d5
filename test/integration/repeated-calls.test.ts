import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';

/** Calls that are repeated under a key, and what a caller learns of one whose end nobody has seen. */

async function start() {
  const home = await homeOf({ 'marks.txt': '' });
  const file = join(home, 'marks.txt');
  const args = [join(import.meta.dirname, 'support', 'effect-server.ts'), file];
  const server = { command: process.execPath, args, timeout_seconds: 5 };
  await writeFile(join(home, 'master_config.json'), JSON.stringify({ remote_mcp_servers: { effects: server } }));
  const luna = await startLuna(home);
  const marks = async () => (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  return { luna, marks, call: await clientOf(luna) };
}

/** Calls the tool and gives back its text, or what the error says of the outcome. */
async function clientOf(luna: RunningLuna) {
  const client = new Client({ name: 'test', version: '1' });
  const authorization = `Bearer ${await luna.hubKey()}`;
  await client.connect(
    new StreamableHTTPClientTransport(luna.hubUrl(), { requestInit: { headers: { authorization } } }),
  );
  onTestFinished(() => client.close());
  return async (args: Record<string, unknown>, key?: unknown): Promise<string> => {
    try {
      const result = await client.callTool({
        name: 'mark',
        arguments: args,
        ...(key !== undefined && { _meta: { 'dev.luna/idempotency-key': key } }),
      });
      const [block] = result.content as { text: string }[];
      return block?.text ?? '';
    } catch (thrown) {
      const { data } = thrown as { data?: { outcome?: string; code?: string } };
      return `${data?.code}: ${data?.outcome}`;
    }
  };
}

test('a call with a key is made once, however often it comes', async () => {
  const { call, marks } = await start();
  const answers = await Promise.all(Array.from({ length: 20 }, () => call({ text: 'a' }, 'key-1')));
  expect(new Set(answers)).toEqual(new Set(['marked a']));
  expect(await call({ text: 'a' }, 'key-1')).toBe('marked a');
  expect(await marks()).toEqual(['a']);
  // Without a key, or under another, it is another call.
  await call({ text: 'a' });
  await call({ text: 'a' }, 'key-2');
  expect(await marks()).toEqual(['a', 'a', 'a']);
});

test('a key belongs to its arguments, in whatever order, and has to be a text', async () => {
  const { call, marks } = await start();
  expect(await call({ text: 'a', die: 'never' }, 'key')).toBe('marked a');
  expect(await call({ die: 'never', text: 'a' }, 'key')).toBe('marked a');
  expect(await call({ text: 'b' }, 'key')).toBe('invalid_input: failed');
  for (const key of ['', 7, {}, 'x'.repeat(1_000)])
    expect(await call({ text: 'c' }, key)).toBe('invalid_input: failed');
  expect(await marks()).toEqual(['a']);
});

test.each(['before', 'after', 'hang'])(
  'the server ends %s the effect: nobody knows, and nothing is sent twice',
  async (die) => {
    const { luna, call, marks } = await start();
    const outcome = die === 'hang' ? 'timeout: unknown' : 'source_unavailable: unknown';
    expect(await call({ text: 'a', die }, 'key')).toBe(outcome);
    await eventually(async () => {
      const { sources } = await (await luna.api('GET', 'status')).json();
      expect(sources[0].health.status).toBe('ready');
    });
    expect(await call({ text: 'a', die }, 'key')).toBe(outcome);
    expect(await marks()).toEqual(die === 'before' ? [] : ['a']);
    expect(await call({ text: 'b' }, 'another')).toBe('marked b');
  },
);

test('a call that never reached the server can be made again under its key', async () => {
  const { luna, call, marks } = await start();
  await luna.api('PATCH', 'remote-mcp/effects', { enabled: false });
  expect(await call({ text: 'a' }, 'key')).toMatch(/failed|undefined/);
  await luna.api('PATCH', 'remote-mcp/effects', { enabled: true });
  await eventually(async () => expect(await call({ text: 'a' }, 'key')).toBe('marked a'));
  expect(await marks()).toEqual(['a']);
});
