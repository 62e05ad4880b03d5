import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
  UnauthorizedError as ModernUnauthorized,
} from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, onTestFinished, test } from 'vitest';
import { copyOfExampleHome, type RunningLuna, startLuna } from './support/luna-process.ts';
import { ClientMemory, redirectUri } from './support/oauth-client.ts';
import { PersonInBrowser } from './support/person.ts';

/** The official clients go the whole way to the hub `main` by themselves, but for what a person does in the browser. */

test('the client of sdk 1.x signs in, calls a tool, and renews its token', async () => {
  const luna = await startLuna(await copyOfExampleHome());
  const person = new PersonInBrowser(luna.url);
  await person.signInByLink(luna);
  const memory = new ClientMemory();
  const transport = () =>
    new StreamableHTTPClientTransport(new URL(`${luna.url}/api/mcp`), { authProvider: memory as never });
  const first = transport();
  await expect(new Client({ name: 'v1', version: '1' }).connect(first)).rejects.toBeInstanceOf(UnauthorizedError);
  const back = await agree(luna, person, memory);
  await first.finishAuth(back.searchParams.get('code') ?? '');

  const client = new Client({ name: 'v1', version: '1' });
  onTestFinished(() => client.close());
  await client.connect(transport());
  expect((await client.listTools()).tools.length).toBeGreaterThan(5);
  const result = await client.callTool({ name: 'text_count', arguments: { text: 'one two' } });
  expect(result.isError).not.toBe(true);

  // A token that is no good any more: the client gets another one by itself, and asks nobody.
  const held = memory.held;
  memory.held = { ...held, access_token: 'run.out.long-ago' };
  const renewed = new Client({ name: 'v1', version: '1' });
  onTestFinished(() => renewed.close());
  await renewed.connect(transport());
  expect((await renewed.listTools()).tools.length).toBeGreaterThan(5);
  expect(memory.held?.refresh_token).not.toBe(held?.refresh_token);
});

test.each(['2025-11-25', '2026-07-28'])('client 2.x speaking %s signs in and calls a tool', async (version) => {
  const luna = await startLuna(await copyOfExampleHome());
  const person = new PersonInBrowser(luna.url);
  await person.signInByLink(luna);
  const memory = new ClientMemory();
  const made = () =>
    new ModernClient(
      { name: 'v2', version: '1' },
      { versionNegotiation: { mode: version === '2026-07-28' ? { pin: version } : 'legacy' } },
    );
  const transport = () => new ModernHttp(new URL(`${luna.url}/api/mcp`), { authProvider: memory as never });
  const first = transport();
  await expect(made().connect(first)).rejects.toBeInstanceOf(ModernUnauthorized);
  const back = await agree(luna, person, memory);
  await first.finishAuth(back.searchParams);

  const client = made();
  onTestFinished(() => client.close());
  await client.connect(transport());
  expect(client.getNegotiatedProtocolVersion()).toBe(version);
  const { tools } = await client.listTools();
  expect(tools.length).toBeGreaterThan(5);
  const result = await client.callTool({ name: 'text_count', arguments: { text: 'one two' } });
  expect(result.isError).not.toBe(true);
});

async function agree(luna: RunningLuna, person: PersonInBrowser, memory: ClientMemory): Promise<URL> {
  const page = await person.open(memory.sentTo ?? luna.url);
  expect(page.url.pathname).toMatch(/^\/auth\/consent\//);
  const { url } = await person.press(page.url, 'allow');
  expect(url.href).toContain(redirectUri);
  return url;
}
