import { expect, test } from 'vitest';
import { startGitHub } from './support/git-hub-server.ts';
import { type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';
import { RawOAuthClient } from './support/oauth-client.ts';
import { PersonInBrowser } from './support/person.ts';

/** How people get in: the local account, GitHub, and what keeps others out. */

const password = 'correct horse battery';

async function lunaWithAccount(): Promise<RunningLuna> {
  const luna = await startLuna(await temporaryFolder());
  const owner = new PersonInBrowser(luna.url);
  await owner.signInByLink(luna);
  const set = await owner.send('PUT', '/auth/password', { name: 'ada', password });
  expect(set.status).toBe(204);
  return luna;
}

test('the owner gives the local account a name and a password, and signs in by them', async () => {
  const luna = await startLuna(await temporaryFolder());
  const methods = async () => (await fetch(`${luna.url}/auth/methods`)).json();
  expect(await methods()).toEqual({ github: false, password: false });
  const owner = new PersonInBrowser(luna.url);
  expect((await owner.send('PUT', '/auth/password', { name: 'ada', password })).status).toBe(401);
  await owner.signInByLink(luna);
  expect(await (await owner.send('GET', '/auth/me')).json()).toEqual({
    account: 'local',
    name: 'admin',
    role: 'admin',
    hasPassword: false,
  });
  expect((await owner.send('PUT', '/auth/password', { name: 'ada', password: 'short' })).status).toBe(400);
  expect((await owner.send('PUT', '/auth/password', { name: 'ada', password })).status).toBe(204);
  expect(await methods()).toEqual({ github: false, password: true });

  const person = new PersonInBrowser(luna.url);
  expect((await person.send('POST', '/auth/login', { name: 'ada', password: 'wrong password' })).status).toBe(401);
  expect((await person.send('POST', '/auth/login', { name: 'eve', password })).status).toBe(401);
  expect((await person.send('POST', '/auth/login', { name: 'ada', password })).status).toBe(204);
  expect(await (await person.send('GET', '/auth/me')).json()).toMatchObject({ name: 'ada', hasPassword: true });
  expect((await person.send('GET', '/api/supervisor/status')).status).toBe(200);
});

test('who signs in gets another session than before, and signing out ends it everywhere', async () => {
  const luna = await lunaWithAccount();
  const person = new PersonInBrowser(luna.url);
  const login = () => person.send('POST', '/auth/login', { name: 'ada', password });
  await login();
  const before = new Map(person.cookies);
  await login();
  expect(person.cookies.get('luna_session')).not.toBe(before.get('luna_session'));
  // The session of before is over, and so is a copy of the cookie after signing out.
  const thief = new PersonInBrowser(luna.url);
  for (const [name, value] of before) thief.cookies.set(name, value);
  expect((await thief.send('GET', '/auth/me')).status).toBe(401);
  for (const [name, value] of person.cookies) thief.cookies.set(name, value);
  expect((await thief.send('GET', '/auth/me')).status).toBe(200);
  expect((await person.send('POST', '/auth/logout')).status).toBe(204);
  expect((await thief.send('GET', '/auth/me')).status).toBe(401);
});

test('whoever guesses passwords is held off, whatever address they claim', async () => {
  const luna = await lunaWithAccount();
  const statuses: number[] = [];
  for (let index = 0; index < 22; index++) {
    const answer = await fetch(`${luna.url}/auth/login`, {
      method: 'POST',
      headers: { origin: luna.url, 'content-type': 'application/json', 'x-forwarded-for': `10.0.0.${index}` },
      body: JSON.stringify({ name: 'ada', password: `guess ${index}` }),
    });
    statuses.push(answer.status);
  }
  expect(statuses.slice(0, 19)).toEqual(Array(19).fill(401));
  expect(statuses.at(-1)).toBe(429);
  // The owner gets in by a link.
  const { url } = await (await luna.api('POST', 'sign-in-links')).json();
  await new PersonInBrowser(luna.url).signInByLink(luna, url);
});

test('a change by a page of another site is refused', async () => {
  const luna = await lunaWithAccount();
  const person = new PersonInBrowser(luna.url);
  await person.signInByLink(luna, (await (await luna.api('POST', 'sign-in-links')).json()).url);
  for (const [method, path, body] of [
    ['POST', '/auth/login', { name: 'ada', password }],
    ['PUT', '/auth/password', { name: 'eve', password }],
    ['POST', '/auth/logout', undefined],
    ['DELETE', '/api/supervisor/oauth-clients/x', undefined],
  ] as const) {
    expect([path, (await person.send(method, path, body, 'https://evil.example')).status]).toEqual([path, 403]);
    expect([path, (await person.send(method, path, body, 'http://127.0.0.1:1')).status]).toEqual([path, 403]);
  }
});

test('signing in never leads elsewhere', async () => {
  const luna = await startLuna(await temporaryFolder());
  for (const next of ['//evil.example', '/\\evil.example', 'javascript:alert(1)', 'https://evil.example']) {
    const { url } = await new PersonInBrowser(luna.url).open(`/auth/login?next=${encodeURIComponent(next)}`);
    expect([next, url.origin, url.pathname, url.search]).toEqual([next, luna.url, '/sign-in', '']);
  }
});

test('with GitHub: people who are named, and people of an organization, and nobody else', async () => {
  const github = await startGitHub('a-secret');
  const luna = await startLuna(await temporaryFolder(), {
    env: {
      GITHUB_CLIENT_ID: 'an-id',
      GITHUB_CLIENT_SECRET: 'a-secret',
      GITHUB_ALLOWED_USERS: 'Ada',
      GITHUB_ALLOWED_ORGS: 'lunar',
      GITHUB_URL: github.url,
      GITHUB_API_URL: `${github.url}/api/v3`,
    },
  });
  expect(await (await fetch(`${luna.url}/auth/methods`)).json()).toEqual({ github: true, password: false });
  const comeBack = async (person: PersonInBrowser, next = '/tools') => {
    const away = await person.open(`/auth/login?next=${encodeURIComponent(next)}`);
    expect(away.url.origin).toBe(github.url);
    const back = (await fetch(away.url, { redirect: 'manual' })).headers.get('location') ?? '';
    return { back, ...(await person.open(back)) };
  };

  const ada = new PersonInBrowser(luna.url);
  expect((await comeBack(ada)).url.pathname).toBe('/tools');
  expect(await (await ada.send('GET', '/auth/me')).json()).toMatchObject({ account: 'github:1', name: 'ada' });
  expect(github.asked[0]?.get('redirect_uri')).toBe(`${luna.url}/auth/callback`);
  expect((await ada.send('PUT', '/auth/password', { name: 'ada', password })).status).toBe(403);

  github.user = { id: 2, login: 'grace', orgs: ['Lunar'] };
  const grace = new PersonInBrowser(luna.url);
  await comeBack(grace);
  expect((await grace.send('GET', '/auth/me')).status).toBe(200);

  github.user = { id: 3, login: 'eve', orgs: ['other'] };
  const eve = new PersonInBrowser(luna.url);
  const refused = await comeBack(eve);
  expect(refused.response.status).toBe(403);
  expect((await eve.send('GET', '/auth/me')).status).toBe(401);

  // What another browser began cannot be finished in this one.
  const mallory = new PersonInBrowser(luna.url);
  await mallory.open('/auth/login');
  expect((await mallory.open(refused.back)).response.status).toBe(401);

  // They let clients in as the local account does.
  const client = new RawOAuthClient(luna.url);
  const tokens = await client.tokens(ada);
  expect((await client.list(tokens.access_token)).status).toBe(200);
  // The password of the local account is no way in beside GitHub.
  expect((await eve.send('POST', '/auth/login', { name: 'ada', password })).status).toBe(403);
});

test('GitHub without anybody who may sign in says what to set', async () => {
  const luna = await startLuna(await temporaryFolder(), {
    env: { GITHUB_CLIENT_ID: 'an-id', GITHUB_CLIENT_SECRET: 'a-secret' },
  });
  const { response } = await new PersonInBrowser(luna.url).open('/auth/login');
  expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('GITHUB_ALLOWED_USERS')]);
});

test('the public address is the one that everything follows', async () => {
  const luna = await startLuna(await temporaryFolder(), { env: { LUNA_PUBLIC_URL: 'https://luna.example.com/' } });
  expect(luna.signInLink).toMatch(/^https:\/\/luna\.example\.com\/sign-in#token=/);
  const { Agent, request } = await import('node:http');
  const viaProxy = (path: string) =>
    new Promise<{ body: Record<string, unknown>; headers: Record<string, unknown> }>((settle, reject) => {
      const { port } = new URL(luna.url);
      const headers = { host: 'luna.example.com', 'x-forwarded-host': 'evil.example' };
      request({ port, host: '127.0.0.1', path, headers, agent: new Agent() }, async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        settle({ body: JSON.parse(text), headers: answer.headers });
      })
        .on('error', reject)
        .end();
    });
  expect((await viaProxy('/.well-known/oauth-authorization-server')).body).toMatchObject({
    issuer: 'https://luna.example.com',
    token_endpoint: 'https://luna.example.com/api/token',
  });
  expect((await viaProxy('/.well-known/oauth-protected-resource/api/mcp')).body).toMatchObject({
    resource: 'https://luna.example.com/api/mcp',
  });
  expect((await viaProxy('/api/mcp')).headers['www-authenticate']).toContain(
    'resource_metadata="https://luna.example.com/.well-known/oauth-protected-resource/api/mcp"',
  );
  const { hubs } = await (await luna.api('GET', 'status')).json();
  expect(hubs.map((hub: { url: string }) => hub.url)).toContain('https://luna.example.com/api/mcp');
});
