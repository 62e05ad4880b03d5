import { expect, test } from 'vitest';
import { type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';
import { RawOAuthClient, redirectUri, type Tokens } from './support/oauth-client.ts';
import { PersonInBrowser } from './support/person.ts';

/** The authorization server of the hub `main`: the way in, and what it refuses. */

async function lunaWithPerson(): Promise<{ luna: RunningLuna; person: PersonInBrowser; client: RawOAuthClient }> {
  const luna = await startLuna(await temporaryFolder());
  const person = new PersonInBrowser(luna.url);
  await person.signInByLink(luna);
  return { luna, person, client: new RawOAuthClient(luna.url) };
}

test('a client finds its own way from 401 to the metadata of the server', async () => {
  const luna = await startLuna(await temporaryFolder());
  const refused = await fetch(`${luna.url}/api/mcp`, { method: 'POST', body: '{}' });
  expect(refused.status).toBe(401);
  const [, address = ''] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? [];
  const resource = await (await fetch(address)).json();
  expect(resource).toMatchObject({ resource: `${luna.url}/api/mcp`, authorization_servers: [luna.url] });
  const metadata = await (await fetch(`${luna.url}/.well-known/oauth-authorization-server`)).json();
  expect(metadata).toMatchObject({
    issuer: luna.url,
    authorization_endpoint: `${luna.url}/api/authorize`,
    token_endpoint: `${luna.url}/api/token`,
    registration_endpoint: `${luna.url}/api/register`,
    revocation_endpoint: `${luna.url}/api/revoke`,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  });
  // Who comes by another name of this machine gets metadata that fits that.
  const byName = luna.url.replace('127.0.0.1', 'localhost');
  const other = await (await fetch(`${byName}/.well-known/oauth-protected-resource/api/mcp`)).json();
  expect(other).toMatchObject({ resource: `${byName}/api/mcp`, authorization_servers: [luna.url] });
});

test('a client in a page of another site finds its way, registers, and exchanges a code', async () => {
  const luna = await startLuna(await temporaryFolder());
  const origin = 'http://localhost:6274';
  const preflight = { origin, 'access-control-request-headers': 'content-type,mcp-protocol-version' };
  const ways = [
    ['GET', '/.well-known/oauth-protected-resource/api/mcp'],
    ['GET', '/.well-known/oauth-authorization-server'],
    ['POST', '/api/register'],
    ['POST', '/api/token'],
  ] as const;
  for (const [method, path] of ways) {
    const headers = { ...preflight, 'access-control-request-method': method };
    const asked = await fetch(luna.url + path, { method: 'OPTIONS', headers });
    expect([path, asked.status]).toEqual([path, 204]);
    expect(['*', origin]).toContain(asked.headers.get('access-control-allow-origin'));
    expect(asked.headers.get('access-control-allow-methods')).toContain(method);
    const answer = await fetch(luna.url + path, { method, headers: { origin } });
    expect(['*', origin]).toContain(answer.headers.get('access-control-allow-origin'));
  }
});

test('a person sees who asks before anything is given, once for each client', async () => {
  const { luna, person, client } = await lunaWithPerson();
  await client.register({ client_name: 'Evil <script>alert(1)</script>' });
  const { url, response } = await person.open(client.authorizeUrl());
  expect(url.pathname).toMatch(/^\/auth\/consent\//);
  const text = await response.text();
  expect(text).toContain('Evil &lt;script&gt;alert(1)&lt;/script&gt;');
  expect(text).not.toContain('<script');
  for (const shown of [redirectUri, client.clientId, 'tools of the hub “main”']) expect(text).toContain(shown);
  expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");

  const done = await person.press(url, 'allow');
  expect(done.url.href).toContain(redirectUri);
  expect(done.url.searchParams.get('iss')).toBe(luna.url);
  expect(done.url.searchParams.get('state')).toBe('a-state');
  const tokens: Tokens = await (await client.exchange(done.url.searchParams.get('code') ?? '')).json();
  expect(tokens.scope).toBe('mcp');
  expect((await client.list(tokens.access_token)).status).toBe(200);

  // The second time nobody is asked, on whatever port the client listens now.
  const again = await person.open(client.authorizeUrl({ redirect_uri: 'http://127.0.0.1:6666/callback' }));
  expect(again.url.searchParams.get('code')).toEqual(expect.any(String));
});

test.each(['claudeai', 'openid profile email', 'offline_access mcp other'])(
  'a client that registers and asks for the scope "%s" gets to the tools',
  async (scope) => {
    const { person, client } = await lunaWithPerson();
    const registered = await client.register({ scope });
    expect([registered.status, (await registered.json()).scope.split(' ')]).toEqual([
      201,
      expect.arrayContaining(['mcp']),
    ]);
    const tokens: Tokens = await (await client.exchange(await client.code(person, { scope }))).json();
    expect(tokens.scope.split(' ')).toContain('mcp');
    expect((await client.list(tokens.access_token)).status).toBe(200);
    const renewed: Tokens = await (await client.refresh(tokens.refresh_token)).json();
    expect((await client.list(renewed.access_token)).status).toBe(200);
  },
);

test('who is not signed in is led to signing in, and back', async () => {
  const luna = await startLuna(await temporaryFolder());
  const client = new RawOAuthClient(luna.url);
  await client.register();
  const person = new PersonInBrowser(luna.url);
  const { url } = await person.open(client.authorizeUrl());
  expect(url.pathname).toBe('/sign-in');
  const next = url.searchParams.get('next') ?? '';
  expect(next).toMatch(/^\/auth\/consent\//);
  await person.signInByLink(luna);
  expect((await person.open(next)).response.status).toBe(200);
  expect((await person.press(new URL(next, luna.url), 'allow')).url.searchParams.has('code')).toBe(true);
});

test('a refusal, and a decision that another page sent', async () => {
  const { person, client } = await lunaWithPerson();
  await client.register();
  const { url } = await person.open(client.authorizeUrl());
  expect((await person.press(url, 'allow', 'https://evil.example')).response.status).toBe(403);
  const { url: back } = await person.press(url, 'deny');
  expect(back.searchParams.get('error')).toBe('access_denied');
  expect(back.searchParams.has('code')).toBe(false);
});

test('a decision belongs to the browser in which it was asked for', async () => {
  const { luna, person, client } = await lunaWithPerson();
  await client.register();
  const { url } = await person.open(client.authorizeUrl());
  const victim = new PersonInBrowser(luna.url);
  const { url: link } = await (await luna.api('POST', 'sign-in-links')).json();
  await victim.signInByLink(luna, link);
  expect((await victim.open(url)).response.status).toBe(404);
  expect((await victim.press(url, 'allow')).response.status).toBe(404);
});

test('a refresh token is good for one use; used again it ends everything', async () => {
  const { person, client } = await lunaWithPerson();
  const first = await client.tokens(person);
  const second: Tokens = await (await client.refresh(first.refresh_token)).json();
  expect(second.refresh_token).not.toBe(first.refresh_token);
  expect((await client.list(second.access_token)).status).toBe(200);
  const reuse = await client.refresh(first.refresh_token);
  expect([reuse.status, await reuse.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  expect((await client.refresh(second.refresh_token)).status).toBe(400);
  expect((await client.list(second.access_token)).status).toBe(401);
});

test('of two refreshes at once one gets tokens', async () => {
  const { person, client } = await lunaWithPerson();
  const { refresh_token } = await client.tokens(person);
  const answers = await Promise.all([client.refresh(refresh_token), client.refresh(refresh_token)]);
  expect(answers.filter((answer) => answer.status === 200).length).toBeLessThanOrEqual(1);
});

test('a code is good for one use', async () => {
  const { person, client } = await lunaWithPerson();
  await client.register();
  const code = await client.code(person);
  const tokens: Tokens = await (await client.exchange(code)).json();
  const again = await client.exchange(code);
  expect([again.status, await again.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  // Somebody has it who should not: what it gave is worth nothing any more.
  expect((await client.list(tokens.access_token)).status).toBe(401);
});

test('without a challenge, and with a plain one, nobody gets a code', async () => {
  const { person, client } = await lunaWithPerson();
  await client.register();
  const changes: Record<string, string>[] = [
    { code_challenge: '', code_challenge_method: '' },
    { code_challenge_method: 'plain' },
  ];
  for (const change of changes) {
    const { url } = await person.open(client.authorizeUrl(change));
    expect([change, url.searchParams.get('error')]).toEqual([change, 'invalid_request']);
  }
});

test('a wrong verifier gets nothing', async () => {
  const { person, client } = await lunaWithPerson();
  await client.register();
  const answer = await client.exchange(await client.code(person), { code_verifier: 'x'.repeat(43) });
  expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
});

test('a redirect that was not registered is refused without one', async () => {
  const { person, client } = await lunaWithPerson();
  await client.register();
  for (const redirect_uri of [
    'http://127.0.0.1:5555/callback/more',
    'http://127.0.0.1:5555/CALLBACK',
    'http://user@127.0.0.1:5555/callback',
    'http://127.0.0.1:5555/callback#fragment',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:5555/callback?more=1',
    'https://evil.example/callback',
    'javascript:alert(1)',
  ]) {
    const { url, response } = await person.open(client.authorizeUrl({ redirect_uri }));
    expect([redirect_uri, url.pathname, response.status]).toEqual([redirect_uri, '/api/authorize', 400]);
  }
});

test('no client is registered with a redirect that leads elsewhere', async () => {
  const luna = await startLuna(await temporaryFolder());
  for (const redirect of [
    'http://evil.example/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'http://127.0.0.1/#fragment',
  ]) {
    const answer = await new RawOAuthClient(luna.url).register({ redirect_uris: [redirect] });
    const error = { error: 'invalid_redirect_uri' };
    expect([redirect, answer.status, await answer.json()]).toMatchObject([redirect, 400, error]);
  }
});

test('a token for something else is not given out', async () => {
  const { person, client } = await lunaWithPerson();
  await client.register();
  const { url } = await person.open(client.authorizeUrl({ resource: 'https://other.example/api/mcp' }));
  expect(url.searchParams.get('error')).toBe('invalid_target');
});

test('a client that names neither scope nor resource gets in as well', async () => {
  const { person, client } = await lunaWithPerson();
  await client.register();
  const code = await client.code(person, { scope: '', resource: '' });
  const tokens: Tokens = await (await client.exchange(code)).json();
  expect((await client.list(tokens.access_token)).status).toBe(200);
});

test('a client with a secret gets in by it alone', async () => {
  const { person, client } = await lunaWithPerson();
  const registered = await client.register({ token_endpoint_auth_method: 'client_secret_post' });
  const { client_secret } = await registered.json();
  const code = await client.code(person);
  expect((await client.exchange(code, { client_secret: 'wrong' })).status).toBe(401);
  expect((await client.exchange(code, { client_secret })).status).toBe(200);
});

test('revocation by the client, and by the owner of Luna, ends access at once', async () => {
  const { luna, person, client } = await lunaWithPerson();
  const first = await client.tokens(person);
  expect((await client.revoke(first.refresh_token)).status).toBe(200);
  expect((await client.list(first.access_token)).status).toBe(401);

  const second = await client.tokens(person);
  const stream = await fetch(`${luna.url}/api/mcp`, {
    headers: {
      authorization: `Bearer ${second.access_token}`,
      accept: 'text/event-stream',
      'mcp-session-id': (await client.list(second.access_token)).headers.get('mcp-session-id') ?? '',
    },
  });
  expect(stream.status).toBe(200);
  const { clients } = await (await luna.api('GET', 'oauth-clients')).json();
  expect(clients).toMatchObject([{ clientName: 'A client of tests', letInBy: 'admin', scope: 'mcp' }]);
  expect((await luna.api('DELETE', `oauth-clients/${clients[0].id}`)).status).toBe(204);
  // The open stream ends with it.
  await stream.text();
  expect((await client.list(second.access_token)).status).toBe(401);
  expect((await client.refresh(second.refresh_token)).status).toBe(400);
  expect((await luna.api('DELETE', `oauth-clients/${clients[0].id}`)).status).toBe(404);
});

test('a restart keeps clients, tokens and whoever is signed in', async () => {
  const home = await temporaryFolder();
  const luna = await startLuna(home);
  const person = new PersonInBrowser(luna.url);
  await person.signInByLink(luna);
  const client = new RawOAuthClient(luna.url);
  const tokens = await client.tokens(person);
  const port = new URL(luna.url).port;
  await luna.stop();
  const again = await startLuna(home, { args: ['--port', port] });
  expect(again.url).toBe(luna.url);
  expect((await client.list(tokens.access_token)).status).toBe(200);
  expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
  expect((await person.send('GET', '/auth/me')).status).toBe(200);
});

test('too many clients from one address are refused for a while', async () => {
  const luna = await startLuna(await temporaryFolder());
  const statuses = await Promise.all(
    Array.from({ length: 40 }, async () => (await new RawOAuthClient(luna.url).register()).status),
  );
  expect(new Set(statuses)).toEqual(new Set([201, 429]));
});

test('neither the database nor the log holds a token', async () => {
  const { luna, person, client } = await lunaWithPerson();
  const tokens = await client.tokens(person);
  await luna.stop();
  const { readFile, readdir } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const logs = await readdir(join(luna.home, 'logs'));
  for (const file of logs) {
    const text = await readFile(join(luna.home, 'logs', file), 'utf8');
    for (const token of [tokens.access_token, tokens.refresh_token]) expect(text).not.toContain(token);
  }
});
