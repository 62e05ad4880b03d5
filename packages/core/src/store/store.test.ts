import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { Accounts, BrowserSessions, Consents, OAuthRecords, openStore, SigningKeys, type Store } from './index.ts';
import { migratorOf } from './store.ts';

async function databaseFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-store-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, '.luna', 'luna.db');
}

async function opened(file?: string): Promise<Store> {
  const store = await openStore(file ?? (await databaseFile()));
  onTestFinished(() => store.close());
  return store;
}

test('is made at first use, for its owner alone, and keeps what it has', async () => {
  const file = await databaseFile();
  const first = await openStore(file);
  await new Accounts(first).setPassword('ada', 'a long password');
  await first.close();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const again = new Accounts(await opened(file));
  expect(await again.byPassword('ada', 'a long password')).toEqual({ id: 'local', name: 'ada' });
  expect(await again.byPassword('ada', 'another password')).toBeUndefined();
  expect(await again.byPassword('bob', 'a long password')).toBeUndefined();
});

test('a database of a newer Luna is refused and left as it is', async () => {
  const file = await databaseFile();
  await (await openStore(file)).close();
  const database = new DatabaseSync(file);
  database.exec("INSERT INTO kysely_migration VALUES ('999_of_tomorrow', '2030-01-01')");
  database.close();
  await expect(openStore(file)).rejects.toThrow(/newer Luna.*999_of_tomorrow/);
});

test('a file that is no database is refused by name', async () => {
  const file = await databaseFile();
  await (await openStore(file)).close();
  await rm(`${file}-wal`, { force: true });
  await writeFile(file, 'this is not a database, and long enough to be looked at as one'.repeat(100));
  await expect(openStore(file)).rejects.toThrow(file);
});

test('every migration has a way back', async () => {
  const store = await opened();
  const migrator = migratorOf(store.db);
  for (const _ of await migrator.getMigrations()) expect((await migrator.migrateDown()).error).toBeUndefined();
  expect(await store.db.introspection.getTables()).toEqual([]);
  expect((await migrator.migrateToLatest()).error).toBeUndefined();
});

test('a browser session ends at its time, and its id is not in the database', async () => {
  const store = await opened();
  const sessions = new BrowserSessions(store);
  await sessions.set('the-id', { person: 'ada' }, 60_000);
  await sessions.set('old', { person: 'bob' }, -1);
  expect(await sessions.get('the-id')).toEqual({ person: 'ada' });
  expect(await sessions.get('old')).toBeUndefined();
  const rows = await store.db.selectFrom('browser_sessions').select('id').execute();
  expect(rows.map((row) => row.id)).not.toContain('the-id');
  await sessions.deleteExpired();
  expect(await store.db.selectFrom('browser_sessions').select('id').execute()).toHaveLength(1);
  await sessions.delete('the-id');
  expect(await sessions.get('the-id')).toBeUndefined();
});

test('of two who use a code at once, one gets it', async () => {
  const records = new OAuthRecords(await opened());
  await records.put('AuthorizationCode', 'c', { grantId: 'g' }, 60_000);
  const outcomes = await Promise.all([
    records.consume('AuthorizationCode', 'c'),
    records.consume('AuthorizationCode', 'c'),
  ]);
  expect(outcomes.sort()).toEqual([false, true]);
  expect(await records.find('AuthorizationCode', 'c')).toMatchObject({ grantId: 'g', consumed: expect.any(Number) });
  await records.deleteOfGrant('g');
  expect(await records.find('AuthorizationCode', 'c')).toBeUndefined();
});

test('records end at their time', async () => {
  const records = new OAuthRecords(await opened());
  await records.put('Session', 's', { uid: 'u' }, -1);
  await records.put('Session', 't', { uid: 'v' });
  expect(await records.find('Session', 's')).toBeUndefined();
  expect(await records.findByUid('Session', 'v')).toEqual({ uid: 'v' });
  await records.deleteExpired();
  expect(await records.count('Session')).toBe(1);
});

test.each([
  ['', 'a long password'],
  ['ada lovelace', 'a long password'],
  ['ada', 'short'],
  ['ada', 'x'.repeat(257)],
])('the local account cannot have the name %j with such a password', async (name, password) => {
  const accounts = new Accounts(await opened());
  await expect(accounts.setPassword(name, password)).rejects.toMatchObject({ code: 'invalid_input' });
  expect(await accounts.hasPassword()).toBe(false);
});

test('consents are one per person and client', async () => {
  const consents = new Consents(await opened());
  const consent = {
    accountId: 'local',
    clientId: 'c',
    clientName: 'C',
    grantId: 'g1',
    redirectUris: ['http://a'],
    scope: 'mcp',
  };
  await consents.put(consent);
  await consents.put({ ...consent, grantId: 'g2' });
  expect(await consents.list()).toMatchObject([{ grantId: 'g2', redirectUris: ['http://a'] }]);
  expect(await consents.ofGrant('g1')).toBeUndefined();
  await consents.deleteOfGrant('g2');
  expect(await consents.find('local', 'c')).toBeUndefined();
});

test('the latest signing key comes first', async () => {
  const keys = new SigningKeys(await opened());
  await keys.add({ kid: 'one' });
  await keys.add({ kid: 'two' });
  expect(await keys.list()).toEqual([{ kid: 'two' }, { kid: 'one' }]);
});

test('where there is no room a change is refused, nothing is lost, and it goes on when there is room', async () => {
  const store = await opened();
  const sessions = new BrowserSessions(store);
  await sessions.set('before', { person: 'ada' }, 60_000);
  await sql`PRAGMA max_page_count = 1`.execute(store.db);
  const long = { text: 'x'.repeat(1_000_000) };
  await expect(sessions.set('long', long, 60_000)).rejects.toMatchObject({ code: 'no_space' });
  expect(await sessions.get('before')).toEqual({ person: 'ada' });
  expect(await sessions.get('long')).toBeUndefined();
  await sql`PRAGMA max_page_count = 100000`.execute(store.db);
  await sessions.set('long', long, 60_000);
  expect(await sessions.get('long')).toEqual(long);
});
