import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { fixedTool, homeOf } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { RawOAuthClient, type Tokens } from '../integration/support/oauth-client.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

test.each(['light', 'dark'] as const)(
  'a person makes an account, lets a program in, and disconnects it (%s)',
  async (colorScheme) => {
    const luna = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
    const { page, complaints } = await openBrowser(luna.url, { colorScheme });
    await page.goto(luna.signInLink);
    await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
    await page.getByText('Sign in without a link the next time').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Choose' }).click();
    await page.getByRole('heading', { name: 'Account' }).waitFor();
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('New password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('heading', { name: 'ada' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();

    // A program sends the person here, who is not signed in.
    const client = new RawOAuthClient(luna.url);
    await client.register({ client_name: 'A program' });
    const redirect_uri = await startProgram();
    await page.goto(client.authorizeUrl({ redirect_uri }).href);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill('wrong password');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('The name or the password is wrong.').waitFor();
    await expectAccessible(page);
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Let “A program” in?' }).waitFor();
    await page.getByText('it can call 1 tool then').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Let it in' }).click();
    await page.getByText('Back in the program.').waitFor();
    const code = new URL(page.url()).searchParams.get('code') ?? '';
    const { access_token }: Tokens = await (await client.exchange(code, { redirect_uri })).json();
    expect((await client.list(access_token)).status).toBe(200);

    await page.goto(`${luna.url}/account`);
    await page.getByText('A program', { exact: true }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('None yet.').waitFor();
    expect((await client.list(access_token)).status).toBe(401);

    await page.goto(`${luna.url}/hubs`);
    const main = page.getByRole('article', { name: 'Hub main' });
    await main.getByText('Clients ask, and you let them in.').waitFor();
    expect(await main.getByRole('button', { name: 'New key' }).count()).toBe(0);
    await expectAccessible(page);
    // The refused password is told by the browser as well, and the program is elsewhere.
    expect(complaints.filter((line) => !/401/.test(line) && !line.includes('/callback?'))).toEqual([]);
  },
);

/** The end of the way in a program on this machine: the port is another one each time. */
async function startProgram(): Promise<string> {
  const server = createServer((_request, response) => response.end('Back in the program.'));
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
}
