import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import { ToolRegistry } from '../../tools/index.ts';
import { McpSource } from './source.ts';

/**
 * A server that answers each method as the script says; in texts `"DEEP"` stands for lists nested 20,000 levels deep.
 */
async function deepServer(script: string) {
  const folder = await temporaryFolder();
  const file = join(folder, 'server.mjs');
  await writeFile(
    file,
    `import { createInterface } from 'node:readline';
const deep = '['.repeat(20_000) + ']'.repeat(20_000);
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }).replaceAll('"DEEP"', deep) + '\\n');
const initialized = { protocolVersion: '2025-06-18', capabilities: { tools: { listChanged: true }, resources: {}, prompts: {}, logging: {} }, serverInfo: { name: 'deep', version: '1' } };
let tools = [{ name: 'fine', inputSchema: { type: 'object' } }];
const names = (...all) => { tools = all.map((name) => ({ name, inputSchema: { type: 'object' } })); };
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const answer = (result) => say({ id, result });
  ${script}
  if (method === 'initialize') return answer(initialized);
  if (method === 'tools/list') return answer({ tools });
  if (method === 'resources/list') return answer({ resources: [] });
  if (method === 'prompts/list') return answer({ prompts: [] });
  if (method === 'tools/call') return answer({ content: [{ type: 'text', text: params.name }] });
  if (method === 'ping') return answer({});
  if (id !== undefined) say({ id, error: { code: -32601, message: 'Method not found' } });
});
`,
  );
  const log: string[] = [];
  const source = new McpSource({
    id: 'deep',
    target: { kind: 'stdio', command: process.execPath, args: [file], cwd: folder },
    restart: { delaysMs: [], resetAfterMs: 60_000 },
    onLog: (line) => log.push(line),
  });
  onTestFinished(() => source.close());
  const registry = new ToolRegistry();
  registry.add(source);
  await source.start();
  return { source, registry, log };
}

const call = () => ({ signal: new AbortController().signal });
const served = async (source: McpSource) => (await source.call('fine', {}, call())).content;
const fine = [{ type: 'text', text: 'fine' }];

test.each([
  ['a default', `{ name: 'bad', inputSchema: { type: 'object', default: 'DEEP' } }`],
  ['a schema', `{ name: 'bad', inputSchema: { type: 'object', properties: { x: 'DEEP' } } }`],
  [
    'an output schema',
    `{ name: 'bad', inputSchema: { type: 'object' }, outputSchema: { type: 'object', default: 'DEEP' } }`,
  ],
  ['annotations', `{ name: 'bad', inputSchema: { type: 'object' }, annotations: { x: 'DEEP' } }`],
  ['_meta', `{ name: 'bad', inputSchema: { type: 'object' }, _meta: { x: 'DEEP' } }`],
  ['icons', `{ name: 'bad', inputSchema: { type: 'object' }, icons: 'DEEP' }`],
  ['execution', `{ name: 'bad', inputSchema: { type: 'object' }, execution: { x: 'DEEP' } }`],
])('a tool that is nested too deep in %s is held back, and nothing else', async (_what, tool) => {
  const { source, registry } = await deepServer(
    `tools = [{ name: 'fine', inputSchema: { type: 'object' } }, ${tool}];`,
  );
  expect(source.health()).toMatchObject({ status: 'ready' });
  expect([...registry.tools().keys()]).toEqual(['fine']);
  expect([...registry.heldBack().values()]).toMatchObject([{ name: 'bad', reason: expect.stringContaining('deeper') }]);
  expect(await served(source)).toEqual(fine);
  // What is held back is written and shown too.
  expect(() => JSON.stringify(source.list())).not.toThrow();
});

test.each([
  [
    'a resource',
    `if (method === 'resources/list') return answer({ resources: [{ uri: 'a://b', name: 'b', _meta: 'DEEP' }, { uri: 'a://c', name: 'c' }] });`,
  ],
  [
    'a prompt',
    `if (method === 'prompts/list') return answer({ prompts: [{ name: 'b', _meta: 'DEEP' }, { name: 'c' }] });`,
  ],
])('%s that is nested too deep is left out', async (_what, script) => {
  const { source } = await deepServer(script);
  expect(source.health()).toMatchObject({ status: 'ready' });
  const listed = [...source.peer.list('resources'), ...source.peer.list('prompts')];
  expect(listed).toMatchObject([{ name: 'c' }]);
});

test.each([
  ['its result', `answer({ content: [{ type: 'text', text: 'x' }], structuredContent: { x: 'DEEP' } })`],
  ['a block of content', `answer({ content: 'DEEP' })`],
  ['_meta of its result', `answer({ content: [], _meta: { x: 'DEEP' } })`],
  ['the data of its error', `say({ id, error: { code: -32000, message: 'no', data: 'DEEP' } })`],
])('a call with %s nested too deep fails, and no other', async (_what, answer) => {
  const { source } = await deepServer(
    `names('fine', 'bad'); if (method === 'tools/call' && params.name === 'bad') return ${answer};`,
  );
  await expect(source.call('bad', {}, call())).rejects.toMatchObject({ code: 'upstream_error' });
  expect(await served(source)).toEqual(fine);
});

test.each([
  [
    'progress',
    `say({ method: 'notifications/progress', params: { progressToken: params._meta?.progressToken, progress: 1, message: 'DEEP' } });`,
  ],
  ['a log message', `say({ method: 'notifications/message', params: { level: 'info', data: 'DEEP' } });`],
  ['a notification of its own', `say({ method: 'notifications/own', params: { x: 'DEEP' } });`],
  [
    'a notification with odd _meta',
    `say({ method: 'notifications/tools/list_changed', params: { _meta: { x: 'DEEP' } } });`,
  ],
  ['a question', `say({ id: 'q', method: 'elicitation/create', params: { message: 'x', requestedSchema: 'DEEP' } });`],
  ['a request of its own', `say({ id: 'r', method: 'own/request', params: { x: 'DEEP' } });`],
  ['an answer to nothing', `say({ id: 77, result: { x: 'DEEP' } });`],
  ['a list as a message', `process.stdout.write(deep + '\\n');`],
])('%s nested too deep during a call harms nothing', async (_what, script) => {
  const { source } = await deepServer(`if (method === 'tools/call') { ${script} }`);
  const heard: unknown[] = [];
  const options = { ...call(), onProgress: (progress: unknown) => void heard.push(JSON.stringify(progress)) };
  expect((await source.call('fine', {}, options)).content).toEqual(fine);
  expect(await served(source)).toEqual(fine);
});

test('a server that says of itself what is nested too deep is refused or taken, and ends nothing', async () => {
  const { source } = await deepServer(
    `if (method === 'initialize') return answer({ ...initialized, capabilities: { tools: {}, experimental: { x: 'DEEP' } } });`,
  );
  expect(['ready', 'down']).toContain(source.health().status);
  expect(() => JSON.stringify(source.peer.capabilities)).not.toThrow();
});
