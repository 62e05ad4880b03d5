import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientKinds, connectHttp, type TestClient } from './support/clients.ts';
import { homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';

/** A tool that answers as much as it is asked for: numbered lines, with one that is another. */
const tools = `
const line = (index) => (index === 70_000 ? 'a NEEDLE — ünïcödé\\n' : 'line ' + String(index).padStart(8, '0') + ' of the text äöü\\n');
const text = (lines) => Array.from({ length: lines }, (_, index) => line(index)).join('');
const input = { type: 'object', properties: { lines: { type: 'integer' } } };
export const TOOLS = [
  { name: 'lines', description: 'Lines.', input, handler: ({ lines }) => text(lines) },
  { name: 'rows', description: 'Rows.', input,
    output: { type: 'object', properties: { rows: { type: 'array' } }, required: ['rows'] },
    handler: ({ lines }) => ({ rows: Array.from({ length: lines }, (_, index) => ({ index, text: line(index) })) }) },
];`;

const line = (index: number) =>
  index === 70_000 ? 'a NEEDLE — ünïcödé\n' : `line ${String(index).padStart(8, '0')} of the text äöü\n`;

async function start(config: object = {}): Promise<RunningLuna> {
  return startLuna(
    await homeOf({
      'extensions/big/tools/big_tools.js': tools,
      'master_config.json': JSON.stringify({ mcp_servers: { default: {}, other: {} }, ...config }),
    }),
  );
}

const names = async (client: TestClient) => (await client.tools()).map(({ name }) => name).sort();
const handleIn = (text = '') => /"handle":"([\w-]+)"/.exec(text)?.[1] ?? '';

describe.each(clientKinds)('for %s', (kind) => {
  test('a result that is too long is cut, and the rest can be read and searched', async () => {
    const luna = await start();
    const client = await connectHttp(kind, luna);
    expect(await names(client)).toEqual(['lines', 'rows']);
    const small = await client.call('lines', { lines: 100 });
    expect(small.content).toEqual([{ type: 'text', text: Array.from({ length: 100 }, (_, i) => line(i)).join('') }]);

    const changed = client.nextListChange();
    const count = 100_000;
    const cut = await client.call('lines', { lines: count });
    await changed;
    expect(await names(client)).toEqual(['lines', 'luna_read_result', 'rows']);
    const [first, notice] = cut.content.map(({ text }) => text ?? '');
    expect(first).toHaveLength(1_048_576);
    const handle = handleIn(notice);
    const offset = Number(/"offset":(\d+)/.exec(notice ?? '')?.[1]);

    let whole = first ?? '';
    for (let at: number | undefined = offset; at !== undefined; ) {
      const part = await client.call('luna_read_result', { handle, offset: at, length: 262_144 });
      whole += part.content[0]?.text;
      const next = /"offset":(\d+)/.exec(part.content[1]?.text ?? '')?.[1];
      at = next === undefined ? undefined : Number(next);
    }
    expect(whole === Array.from({ length: count }, (_, index) => line(index)).join('')).toBe(true);

    const search = await client.call('luna_read_result', { handle, search: 'needle' });
    const { found } = JSON.parse(search.content[0]?.text ?? '{}');
    expect(found).toHaveLength(1);
    expect(found[0].excerpt).toContain('a NEEDLE — ünïcödé');
    const there = await client.call('luna_read_result', { handle, offset: found[0].offset, length: 6 });
    expect(there.content[0]?.text).toBe('NEEDLE');
  });

  test('structured content is never broken into pieces', async () => {
    const client = await connectHttp(kind, await start());
    const whole = await client.call('rows', { lines: 10 });
    expect((whole.structuredContent as { rows: unknown[] }).rows).toHaveLength(10);
    const cut = await client.call('rows', { lines: 50_000 });
    expect(cut.structuredContent).toBeUndefined();
    expect(cut.isError).toBe(true);
    expect(cut.content.at(-1)?.text).toContain('luna_read_result');
  });
});

test('a handle opens for the hub that got it, and for nobody else', async () => {
  const luna = await start();
  const client = await connectHttp('client 2.x, 2026-07-28', luna);
  const cut = await client.call('lines', { lines: 100_000 });
  const handle = handleIn(cut.content.at(-1)?.text);
  const stranger = await connectHttp('client 2.x, 2026-07-28', luna, 'other');
  expect(await names(stranger)).toEqual(['lines', 'rows']);
  await expect(stranger.call('luna_read_result', { handle })).rejects.toThrow(/Unknown tool/);
  await stranger.call('lines', { lines: 100_000 });
  await expect(stranger.call('luna_read_result', { handle })).rejects.toThrow(/no such result/);
  await expect(client.call('luna_read_result', { handle: '../../master_config' })).rejects.toThrow(/no such result/);
  await expect(client.call('luna_read_result', { handle, offset: -1 })).rejects.toThrow(/offset/);
  const beyond = await client.call('luna_read_result', { handle, offset: 999_999_999 });
  expect(beyond.content[0]?.text).toBe('');
  const [file = ''] = await readdir(join(luna.home, '.luna', 'results'));
  expect((await stat(join(luna.home, '.luna', 'results', file))).mode & 0o777).toBe(0o600);
});

test('limits are settings: for all tools, for one, and none', async () => {
  const luna = await start({ luna: { max_result_bytes: 2_000 }, tool_configs: { rows: { max_result_bytes: 0 } } });
  const client = await connectHttp('client 2.x, 2025-11-25', luna);
  expect((await client.call('lines', { lines: 100 })).content.at(-1)?.text).toContain('The result is cut here');
  expect((await client.call('rows', { lines: 1_000 })).isError).not.toBe(true);
});

test('a result of 100 MB costs the memory of one, and its end can be read', async () => {
  const luna = await start();
  const client = await connectHttp('client 2.x, 2026-07-28', luna);
  const cut = await client.call('lines', { lines: 3_100_000 });
  const notice = cut.content.at(-1)?.text ?? '';
  const bytes = Number(/it has (\d+) bytes/.exec(notice)?.[1]);
  expect(bytes).toBeGreaterThan(100_000_000);
  const end = await client.call('luna_read_result', { handle: handleIn(notice), offset: bytes - 37, length: 1_000 });
  expect(end.content[0]?.text).toContain(line(3_099_999).trim());
});
