import { spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../../test/fixtures/eventually.ts';
import type { HttpKind } from '../../../../test/fixtures/feature-http-server.ts';
import { type ProtectedServer, startProtectedServer } from '../../../../test/fixtures/protected-server.ts';
import { startRawServer } from '../../../../test/fixtures/raw-http-server.ts';
import { temporaryFolder } from '../../../../test/fixtures/temporary-folder.ts';
import { McpSource } from '../source.ts';
import { UpstreamAuthorization } from './authorization.ts';
import { TokenStore } from './token-store.ts';

const callerFile = fileURLToPath(new URL('../../../../test/fixtures/authorized-caller.ts', import.meta.url));
const redirectUrl = 'http://127.0.0.1:9/auth/upstream/callback';
const secret = 'a secret for the tests of authorization';
const call = () => ({ signal: new AbortController().signal });

interface Setup {
  readonly server: ProtectedServer;
  readonly source: McpSource;
  readonly store: TokenStore;
  readonly file: string;
  authorization(): UpstreamAuthorization;
  tokenNow(): Promise<string | undefined>;
  /** Does what a person does, from the page to the way back. */
  authorize(owner?: string): Promise<void>;
}

async function setUp(kind?: HttpKind, file?: string): Promise<Setup> {
  const server = await startProtectedServer(kind);
  onTestFinished(() => server.close());
  const tokens = file ?? join(await temporaryFolder(), 'tokens.json');
  const store = new TokenStore({ file: tokens, secret: async () => secret });
  let authorization: UpstreamAuthorization | undefined;
  const source = new McpSource({
    id: 'guarded',
    target: { kind: 'http-or-sse', url: server.url },
    authorize: (fetchIt) => {
      authorization = new UpstreamAuthorization({ server: 'guarded', url: server.url, store, fetch: fetchIt });
      return authorization;
    },
  });
  onTestFinished(() => source.close());
  const present = () => {
    if (!authorization) throw new Error('The source has not started.');
    return authorization;
  };
  return {
    server,
    source,
    store,
    file: tokens,
    authorization: present,
    tokenNow: async () => (await store.read('guarded'))?.tokens?.access_token,
    authorize: async (owner = 'me') => {
      const back = await server.agree((await present().begin(redirectUrl, owner)).href);
      const flow = Object.values((await store.read('guarded'))?.flows ?? {}).at(-1);
      if (!flow) throw new Error('No flow is stored.');
      const { code = '', iss } = Object.fromEntries(back.searchParams);
      await present().finish(flow, { code, iss });
      await source.retry();
    },
  };
}

async function authorized(kind?: HttpKind): Promise<Setup> {
  const setup = await setUp(kind);
  await setup.source.start();
  await setup.authorize();
  return setup;
}

test.each(['v1 streamable', 'v1 sse', 'v2 streamable 2025', 'v2 streamable 2026'] as const)(
  'a server (%s) says that it wants authorization, and works at once when a person has given it',
  async (kind) => {
    const { server, source, authorize } = await setUp(kind);
    await source.start();
    expect(source.health()).toMatchObject({
      status: 'needs_authorization',
      reason: expect.stringContaining('luna authorize guarded'),
    });
    expect(source.health().retryAt).toBeUndefined();
    await expect(source.call('echo', {}, call())).rejects.toMatchObject({ code: 'tool_not_found' });

    await authorize();
    expect(source.health().status).toBe('ready');
    expect(await source.call('echo', { text: 'hi' }, call())).toMatchObject({ content: [{ text: 'hi' }] });
    expect(server.told).toMatchObject({ registrations: 1, exchanges: 1, refreshes: 0 });
  },
);

test('everything that is kept is encrypted, in a file that only its owner reads', async () => {
  const { file, store } = await authorized();
  const record = await store.read('guarded');
  const text = await readFile(file, 'utf8');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(record?.tokens?.access_token).toMatch(/^access-/);
  for (const part of [record?.tokens?.access_token, record?.tokens?.refresh_token, record?.client?.client_id, 'http'])
    expect(text).not.toContain(part);
  expect(await new TokenStore({ file, secret: async () => 'another secret' }).read('guarded')).toBeUndefined();
});

test('an entry that was moved to another server, or changed, is not read', async () => {
  const { file, store } = await authorized();
  const { servers } = JSON.parse(await readFile(file, 'utf8'));
  const changed = `${servers.guarded.slice(0, -4)}AAAA`;
  await writeFile(file, JSON.stringify({ version: 1, servers: { other: servers.guarded, guarded: changed } }));
  expect(await store.read('other')).toBeUndefined();
  expect(await store.read('guarded')).toBeUndefined();
});

test.each(['', '{', '[]', '{"version":1,"servers":{"guarded":7}}', '{"version":1,"servers":{"guarded":"a.b.c"}}'])(
  'a broken file of tokens (%s) means authorizing anew, no more',
  async (text) => {
    const { source, file, authorize } = await setUp();
    await writeFile(file, text);
    await source.start();
    expect(source.health().status).toBe('needs_authorization');
    await authorize();
    expect(source.health().status).toBe('ready');
  },
);

test('tokens outlive a restart, and go to no other address than the one they are for', async () => {
  const { server, source, store, file } = await authorized();
  await source.close();
  await source.start();
  expect(source.health().status).toBe('ready');
  expect(server.told.exchanges).toBe(1);

  const other = await setUp('v1 streamable', file);
  await other.source.start();
  expect(other.source.health().status).toBe('needs_authorization');
  expect(other.server.headers).toEqual([]);
  expect((await store.read('guarded'))?.serverUrl).toBe(server.url.href);
});

test('a token that the server refuses is refreshed, and the call goes through', async () => {
  const { server, source } = await authorized();
  server.expireAll();
  expect(await source.call('echo', { text: 'still' }, call())).toMatchObject({ content: [{ text: 'still' }] });
  expect(server.told.refreshes).toBe(1);
  expect(source.health().status).toBe('ready');
});

test('a token is refreshed ahead of its end, while calls go on with the present one', async () => {
  const { server, source, store, tokenNow } = await authorized();
  const former = await tokenNow();
  await store.change('guarded', (kept) => kept && { ...kept, expiresAt: Date.now() + 30_000 });
  await source.close();
  const held = Promise.withResolvers<void>();
  server.rules.beforeRefresh = () => held.promise;
  await source.start();
  await source.call('echo', { text: 'hi' }, call());
  expect(server.headers.at(-1)?.authorization).toBe(`Bearer ${former}`);
  held.resolve();
  await eventually(tokenNow).not.toBe(former);
  await source.call('echo', { text: 'hi' }, call());
  expect(server.headers.at(-1)?.authorization).toBe(`Bearer ${await tokenNow()}`);
  expect(server.told).toMatchObject({ refreshes: 1, reused: 0 });
});

test('a token that has ended is refreshed before the call, not by its failure', async () => {
  const { server, source, store } = await authorized();
  await store.change('guarded', (kept) => kept && { ...kept, expiresAt: Date.now() - 1 });
  await source.close();
  server.headers.length = 0;
  await source.start();
  expect(source.health().status).toBe('ready');
  expect(server.told.refreshes).toBe(1);
});

test('50 calls in each of two processes meet the end of the token: it is refreshed once', async () => {
  const { server, file } = await authorized();
  const callers = await Promise.all([startCaller(server.url, file), startCaller(server.url, file)]);
  expect(callers.map(({ lines }) => lines[0])).toEqual(['ready', 'ready']);
  server.expireAll();
  for (const caller of callers) caller.call(50);
  for (const { lines } of callers) await eventually(() => lines[1]?.trim()).toBe('0 of 50 failed');
  expect(server.told).toMatchObject({ refreshes: 1, reused: 0 });
});

test('the stored token stays while its successor is not there: an authorization server that breaks costs nothing', async () => {
  const { server, source, tokenNow } = await authorized();
  const former = await tokenNow();
  server.expireAll();
  server.rules.refresh = 'breaks';
  await expect(source.call('echo', {}, call())).rejects.toMatchObject({
    message: expect.stringContaining('could not be refreshed'),
  });
  expect(await tokenNow()).toBe(former);
  server.rules.refresh = 'works';
  await source.retry();
  expect(await source.call('echo', { text: 'again' }, call())).toMatchObject({ content: [{ text: 'again' }] });
});

test('a refresh that is refused for good needs a person, in every call and in the health', async () => {
  const { server, source, authorize } = await authorized();
  server.expireAll();
  server.rules.refresh = 'is refused';
  await expect(source.call('echo', {}, call())).rejects.toMatchObject({ code: 'needs_authorization' });
  expect(source.health()).toMatchObject({
    status: 'needs_authorization',
    reason: expect.stringContaining('no longer'),
  });
  await expect(source.call('echo', {}, call())).rejects.toMatchObject({ code: 'needs_authorization' });
  await authorize();
  expect(source.health().status).toBe('ready');
  expect(server.told.registrations).toBe(1);
});

test('a source that is closed waits for a renewal under way, whose outcome would be lost', async () => {
  const { server, source, tokenNow } = await authorized();
  const former = await tokenNow();
  server.expireAll();
  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  server.rules.beforeRefresh = async () => {
    asked.resolve();
    await held.promise;
  };
  const called = source.call('echo', {}, call()).catch(() => undefined);
  await asked.promise;
  const closed = source.close();
  held.resolve();
  await Promise.all([closed, called]);
  expect(await tokenNow()).not.toBe(former);
  await source.start();
  expect(source.health().status).toBe('ready');
  expect(server.told).toMatchObject({ refreshes: 1, reused: 0 });
});

test('too few rights: the call says so, and the next authorization asks for more', async () => {
  const { server, source, authorization } = await authorized();
  server.rules.wantsScope = 'write';
  await expect(source.call('echo', {}, call())).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('write'),
  });
  expect(source.health().status).toBe('ready');
  const page = await authorization().begin(redirectUrl, 'me');
  expect(page.searchParams.get('scope')).toBe('tools write');
});

test('a way back from another authorization server is refused before the code is used', async () => {
  const { server, source, authorize } = await setUp();
  await source.start();
  server.rules.iss = 'https://evil.example';
  await expect(authorize()).rejects.toMatchObject({ message: expect.stringContaining('could not be finished') });
  expect(server.told.exchanges).toBe(0);
  expect(source.health().status).toBe('needs_authorization');
});

test('disconnecting gives the tokens back and forgets them', async () => {
  const { server, source, store, authorization } = await authorized();
  const { tokens } = (await store.read('guarded')) ?? {};
  await authorization().disconnect();
  expect(server.told.revoked).toEqual([tokens?.refresh_token, tokens?.access_token]);
  expect(await store.has('guarded')).toBe(false);
  await source.reconnect();
  expect(source.health().status).toBe('needs_authorization');
});

test('a server without an authorization server says what to do instead', async () => {
  const url = await startRawServer((_message, response) => response.writeHead(401).end());
  const store = new TokenStore({ file: join(await temporaryFolder(), 'tokens.json'), secret: async () => secret });
  const authorization = new UpstreamAuthorization({ server: 'guarded', url, store, fetch });
  await expect(authorization.begin(redirectUrl, 'me')).rejects.toMatchObject({
    message: expect.stringContaining('put that into its headers'),
  });
});

/** A process that calls the server; tells the status of its source first, then how its calls went. */
async function startCaller(url: URL, file: string) {
  const child = spawn(process.execPath, [callerFile, url.href, file, secret], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await eventually(() => lines.length).toBe(1);
  return { lines, call: (count: number) => void child.stdin.write(`${count}\n`) };
}
