import { describe, expect, test } from 'vitest';
import { fixedTool, homeOf } from './support/homes.ts';
import { startLuna } from './support/luna-process.ts';

const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

async function oneHub() {
  const running = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
  const key = await running.hubKey();
  const post = (body: BodyInit, more: Record<string, string> = {}, hub = 'default') =>
    fetch(running.hubUrl(hub), {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${key}`, ...more },
      body,
    });
  return { running, key, post };
}

describe('a hub', () => {
  test('wants its own key', async () => {
    const { running, key, post } = await oneHub();
    await running.api('POST', 'mcp-servers', { name: 'other' });
    for (const authorization of [
      '',
      'Bearer',
      'Bearer wrong',
      `Basic ${key}`,
      `Bearer ${key}x`,
      `Bearer ${(await running.env()).SUPERVISOR_API_TOKEN}`,
    ]) {
      const refused = await post(JSON.stringify(initialize), { authorization });
      expect(refused.status, authorization).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain('Bearer');
    }
    expect((await post(JSON.stringify(initialize), {}, 'other')).status).toBe(401);
    expect((await post(JSON.stringify(initialize), {}, 'none')).status).toBe(401);
    expect((await post(JSON.stringify(initialize))).status).toBe(200);
    await running.api('PATCH', 'mcp-servers/default', { enabled: false });
    expect((await post(JSON.stringify(initialize))).status).toBe(403);
    expect((await post(JSON.stringify(initialize), { authorization: 'Bearer wrong' })).status).toBe(401);
  });

  test('answers what is malformed with the errors of JSON-RPC', async () => {
    const { post } = await oneHub();
    const answers = async (body: BodyInit, more?: Record<string, string>) => {
      const response = await post(body, more);
      return { status: response.status, code: (await response.json()).error.code };
    };
    expect(await answers('{"jsonrpc":')).toEqual({ status: 400, code: -32700 });
    expect(await answers('[]')).toEqual({ status: 400, code: -32600 });
    expect(await answers('{"hello":1}')).toEqual({ status: 400, code: -32600 });
    expect(await answers(Buffer.from([0x7b, 0xff, 0x7d]))).toEqual({ status: 400, code: -32700 });
    expect(await answers('['.repeat(10_000) + ']'.repeat(10_000))).toEqual({ status: 400, code: -32600 });
    expect(await answers('x'.repeat(5 * 1024 * 1024))).toMatchObject({ status: 413 });
    expect(await answers('{}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await answers(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }))).toEqual({
      status: 400,
      code: -32000,
    });
    expect(
      await answers(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }), { 'mcp-session-id': 'unknown' }),
    ).toEqual({ status: 404, code: -32001 });
  });

  test('does not let a key of one hub use a session of another', async () => {
    const { running, post } = await oneHub();
    const session = (await post(JSON.stringify(initialize))).headers.get('mcp-session-id') ?? '';
    expect(session).not.toBe('');
    const other = await (await running.api('POST', 'mcp-servers', { name: 'other' })).json();
    const stolen = await post(
      JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' }),
      { 'mcp-session-id': session, authorization: `Bearer ${other.apiKey}` },
      'other',
    );
    expect(stolen.status).toBe(404);
  });

  test('says what is wrong with arguments to the model, and what is unknown to the client', async () => {
    const tool = `export const TOOLS = [{ name: 'add', description: 'Adds.', input: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] }, handler: ({ a }) => a + 1 }];\n`;
    const running = await startLuna(await homeOf({ 'extensions/n/tools/n_tools.js': tool }));
    const call = async (body: unknown) => (await running.api('POST', 'tools/call', body)).json();
    expect(await call({ name: 'add', args: { a: 1 } })).toMatchObject({
      result: { content: [{ type: 'text', text: '2' }] },
    });
    const wrong = await call({ name: 'add', args: { a: 'one' } });
    expect(wrong.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('arguments/a must be number') }],
    });
    expect(await call({ name: 'subtract' })).toMatchObject({ error: { code: 'tool_not_found' } });
  });
});
