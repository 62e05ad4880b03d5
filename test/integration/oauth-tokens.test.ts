import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { startLuna, temporaryFolder } from './support/luna-process.ts';
import { RawOAuthClient } from './support/oauth-client.ts';
import { PersonInBrowser } from './support/person.ts';

/** Tokens that somebody made up, or changed. Each is like a good one but for one thing. */

type Claims = Record<string, unknown>;

test('only a token that Luna signed, for this hub, and that has not run out opens it', async () => {
  const luna = await startLuna(await temporaryFolder());
  const person = new PersonInBrowser(luna.url);
  await person.signInByLink(luna);
  const client = new RawOAuthClient(luna.url);
  const { access_token: good } = await client.tokens(person);
  const [head = {}, claims = {}] = good.split('.').slice(0, 2).map(decode);
  expect(head).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
  expect(claims).toMatchObject({ iss: luna.url, aud: `${luna.url}/api/mcp`, scope: 'mcp' });
  const real = ownKey(luna.home);
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const now = Math.floor(Date.now() / 1000);
  const rs = (change: Claims, key = real, headChange: Claims = {}) =>
    signed({ ...head, ...headChange }, { ...claims, ...change }, key);

  const bad: Record<string, string> = {
    'no signature, alg none': `${encode({ ...head, alg: 'none' })}.${encode(claims)}.`,
    'no signature, alg kept': `${good.split('.').slice(0, 2).join('.')}.`,
    'a changed claim': `${good.split('.')[0]}.${encode({ ...claims, sub: 'somebody' })}.${good.split('.')[2]}`,
    'a foreign key': rs({}, foreign),
    'a foreign key that the head brings': rs({}, foreign, { jwk: publicJwk(foreign), kid: undefined }),
    'HS256 with the public key as the secret': hs(head, claims, real),
    'another audience': rs({ aud: 'https://other.example/api/mcp' }),
    'another hub': rs({ aud: `${luna.url}/api/mcp-default` }),
    'no audience': rs({ aud: undefined }),
    'another issuer': rs({ iss: 'https://other.example' }),
    'no issuer': rs({ iss: undefined }),
    'run out': rs({ exp: now - 1 }),
    'never runs out': rs({ exp: undefined }),
    'not valid yet': rs({ nbf: now + 600 }),
    'an id token': rs({}, real, { typ: 'JWT' }),
    'no consent': rs({ luna_grant: undefined }),
    'the consent of nobody': rs({ luna_grant: 'made-up' }),
    'the consent to another client': rs({ client_id: 'another' }),
    'the consent of another person': rs({ sub: 'github:1' }),
    'no token at all': 'x',
    'three dots': 'a.b.c',
  };
  // Fewer than the limit on guessing at a time: what is asked here is the answer to each.
  for (const [what, token] of Object.entries(bad)) {
    const answer = await client.list(token);
    expect([what, answer.status]).toEqual([what, answer.status === 429 ? 429 : 401]);
    if (answer.status === 401) expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  }
  // Whoever has the right one is not kept out by that.
  expect((await client.list(good)).status).toBe(200);
  expect((await client.list(rs({ jti: 'another' }))).status).toBe(200);

  const poor = await client.list(rs({ scope: 'openid' }));
  expect(poor.status).toBe(403);
  expect(poor.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
});

test('the key of a hub does not open main, nor a token of main a hub', async () => {
  const luna = await startLuna(await temporaryFolder());
  const person = new PersonInBrowser(luna.url);
  await person.signInByLink(luna);
  const client = new RawOAuthClient(luna.url);
  const { access_token } = await client.tokens(person);
  expect((await client.list(await luna.hubKey())).status).toBe(401);
  const token = (await luna.env()).SUPERVISOR_API_TOKEN ?? '';
  expect((await client.list(token)).status).toBe(401);
  for (const path of ['/api/mcp-default', '/api/supervisor/status', '/mcp']) {
    const answer = await fetch(luna.url + path, {
      method: path.includes('supervisor') ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect([path, [401, 404].includes(answer.status)]).toEqual([path, true]);
  }
});

function ownKey(home: string): KeyObject {
  const database = new DatabaseSync(join(home, '.luna', 'luna.db'), { readOnly: true });
  const row = database.prepare('SELECT jwk FROM signing_keys').get();
  database.close();
  return createPrivateKey({ key: JSON.parse(String(row?.jwk)), format: 'jwk' });
}

function signed(head: Claims, claims: Claims, key: KeyObject): string {
  const text = `${encode(head)}.${encode(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

function hs(head: Claims, claims: Claims, key: KeyObject): string {
  const text = `${encode({ ...head, alg: 'HS256' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', JSON.stringify(publicJwk(key)))
    .update(text)
    .digest('base64url')}`;
}

function publicJwk(key: KeyObject): Claims {
  const { kty, n, e } = key.export({ format: 'jwk' });
  return { kty, n, e };
}

function encode(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): Claims {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}
