import { expect, test } from 'vitest';
import { startLuna, temporaryFolder } from '../integration/support/luna-process.ts';
import { RawOAuthClient } from '../integration/support/oauth-client.ts';
import { PersonInBrowser } from '../integration/support/person.ts';
import { freePort } from '../integration/support/ports.ts';
import { runAuthorizationSuite } from './run-suite.ts';

test('as an authorization server: every scenario', async () => {
  const luna = await startLuna(await temporaryFolder());
  const person = new PersonInBrowser(luna.url);
  await person.signInByLink(luna);
  const port = await freePort();
  const client = new RawOAuthClient(luna.url);
  await client.register({ redirect_uris: [`http://127.0.0.1:${port}/callback`] });
  const server = { url: luna.url, clientId: client.clientId, resource: `${luna.url}/api/mcp`, port };
  const { exitCode, checks } = await runAuthorizationSuite(server, async (address) => {
    const page = await person.open(address);
    const { url } = await person.press(page.url, 'allow');
    await fetch(url);
  });
  expect(checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO')).toEqual([]);
  expect(checks.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['authorization-server-metadata', 'authorization-code-grant']),
  );
  expect(exitCode).toBe(0);
});
