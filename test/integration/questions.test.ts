import { join } from 'node:path';
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
  SSEClientTransport,
} from '@modelcontextprotocol/client';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1Http } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { expect, onTestFinished, test } from 'vitest';
import { startFixture } from '../conformance/fixture-hub.ts';
import { homeOf } from './support/homes.ts';
import { type RunningLuna, repository, startLuna } from './support/luna-process.ts';

/** A client that can be asked, and says who it is in its answers. */
interface AskableClient {
  call(name: string, args?: Record<string, unknown>): Promise<string>;
}

const everything = join(repository, 'node_modules', '.bin', 'mcp-server-everything');
const capabilities = { sampling: {}, elicitation: { form: {} }, roots: {} };
const kinds = ['sdk 1.x', 'client 2.x, 2025-11-25', 'client 2.x, 2026-07-28', 'client 2.x, SSE'] as const;

async function connect(kind: (typeof kinds)[number], luna: RunningLuna, name: string): Promise<AskableClient> {
  const requestInit = { headers: { authorization: `Bearer ${await luna.hubKey('default')}` } };
  const url = luna.hubUrl('default');
  const sampled = {
    model: 'none',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: `sampled by ${name}` },
  };
  const elicited = { action: 'accept' as const, content: { username: name, email: `${name}@example.org`, name } };
  const roots = { roots: [{ uri: `file:///${name}`, name }] };
  if (kind === 'sdk 1.x') {
    const client = new V1Client({ name, version: '1' }, { capabilities });
    client.setRequestHandler(CreateMessageRequestSchema, async () => sampled);
    client.setRequestHandler(ElicitRequestSchema, async () => elicited);
    client.setRequestHandler(ListRootsRequestSchema, async () => roots);
    await client.connect(new V1Http(url, { requestInit }));
    onTestFinished(() => client.close());
    return { call: async (tool, args = {}) => JSON.stringify(await client.callTool({ name: tool, arguments: args })) };
  }
  const mode = kind.endsWith('2026-07-28') ? { pin: '2026-07-28' } : ('legacy' as const);
  const client = new ModernClient({ name, version: '1' }, { capabilities, versionNegotiation: { mode } });
  client.setRequestHandler('sampling/createMessage', async () => sampled);
  client.setRequestHandler('elicitation/create', async () => elicited);
  client.setRequestHandler('roots/list', async () => roots);
  const transport = kind.endsWith('SSE')
    ? new SSEClientTransport(new URL(`${url.href}/sse`), { requestInit })
    : new ModernHttp(url, { requestInit });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { call: async (tool, args = {}) => JSON.stringify(await client.callTool({ name: tool, arguments: args })) };
}

async function lunaWith(servers: Record<string, unknown>): Promise<RunningLuna> {
  return startLuna(await homeOf({ 'master_config.json': JSON.stringify({ remote_mcp_servers: servers }) }));
}

test.each(kinds)('a server of 2026-07-28 asks: %s', async (kind) => {
  const fixture = await startFixture();
  onTestFinished(() => fixture.close());
  const luna = await lunaWith({ fixture: { url: fixture.url } });
  const client = await connect(kind, luna, 'ann');
  expect(await client.call('test_sampling', { prompt: 'say' })).toContain('sampled by ann');
  expect(await client.call('test_elicitation', { message: 'who?' })).toContain('ann@example.org');
  expect(await client.call('test_simple_text')).toContain('simple text response');
});

test.each(kinds)('a server of 2025-11-25 on standard streams asks: %s', async (kind) => {
  const luna = await lunaWith({ everything: { command: everything, args: ['stdio'] } });
  const client = await connect(kind, luna, 'ann');
  expect(await client.call('trigger-sampling-request', { prompt: 'say', maxTokens: 10 })).toContain('sampled by ann');
  expect(await client.call('trigger-elicitation-request')).toContain('ann');
});
