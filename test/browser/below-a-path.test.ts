import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixedTool, homeOf, put } from '../integration/support/homes.ts';
import { copyOfExampleHome, startLuna } from '../integration/support/luna-process.ts';
import { RawOAuthClient } from '../integration/support/oauth-client.ts';
import { startPathProxy } from '../integration/support/path-proxy.ts';
import { openBrowser } from './support/page.ts';

test.each(['keeps', 'strips'] as const)(
  'the pages below a path, behind a proxy that %s it',
  async (kind) => {
    const proxy = await startPathProxy(kind, '/luna');
    const luna = await startLuna(await copyOfExampleHome(), { env: { LUNA_PUBLIC_URL: proxy.place } });
    proxy.target = luna.url;
    const { page, complaints } = await openBrowser(proxy.origin);

    // A page that was wanted comes after signing in.
    await page.goto(`${proxy.place}/tools/text_hash`);
    await page.getByRole('heading', { name: 'Sign in to Luna' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/luna/sign-in');
    await page.goto(luna.signInLink);
    await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
    expect(page.url()).toBe(`${proxy.place}/`);
    await page.getByText(`${proxy.place}/api/mcp-default`).first().waitFor();
    if (process.env.LUNA_SCREENSHOTS)
      await page.screenshot({ path: join(process.env.LUNA_SCREENSHOTS, `below-a-path-${kind}.png`) });

    // A deep link, loaded anew, and events that come by themselves.
    await page.getByRole('link', { name: 'Tools', exact: true }).click();
    await page.getByLabel('Search tools').fill('sha-256');
    await page.getByRole('button', { name: 'text_hash' }).click();
    await page.getByRole('button', { name: 'Call' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/luna/tools/text_hash');
    await page.reload();
    await page.getByRole('button', { name: 'Call' }).waitFor();
    await page.goto(`${proxy.place}/tools`);
    await put(luna.home, 'extensions/new/tools/new_tools.js', fixedTool('just_now', '2'));
    await page.getByRole('button', { name: 'just_now' }).waitFor();

    // The UI of an extension, which has its service beside it.
    await page.goto(`${proxy.place}/ext/whiteboard`);
    await page.getByText('The board is empty').waitFor();
    expect(page.url()).toBe(`${proxy.place}/ext/whiteboard/`);
    await luna.api('POST', 'tools/call', { name: 'whiteboard_write', args: { at: [10, 10], text: 'from an agent' } });
    await page.getByText('1 on the board').waitFor();

    // The page on which clients are let in, with its style.
    const client = new RawOAuthClient(proxy.place);
    await client.register({ client_name: 'A program' });
    // Any other page of the host will do as the end of the way.
    const redirect_uri = `${proxy.origin}/callback`;
    await page.goto(client.authorizeUrl({ redirect_uri }).href);
    await page.getByRole('heading', { name: 'Let “A program” in?' }).waitFor();
    expect(await page.evaluate('getComputedStyle(document.querySelector("main")).maxWidth')).toBe('544px');
    await page.getByRole('button', { name: 'Let it in' }).click();
    await page.getByText('Another site.').waitFor();
    const code = new URL(page.url()).searchParams.get('code') ?? '';
    expect((await client.exchange(code, { redirect_uri })).status).toBe(200);

    await page.goto(`${proxy.place}/agents`);
    await page.getByText(`${proxy.place}/v1`, { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Luna' }).waitFor();

    // A browser looks for an icon there by itself.
    expect(proxy.strays.filter((path) => !/^\/(?:favicon\.ico$|callback\?)/.test(path))).toEqual([]);
    // Nobody was signed in at first, and there is no page at the end of the way.
    expect(complaints.filter((line) => !/40[14]/.test(line))).toEqual([]);
  },
  120_000,
);

test('who comes to this machine without the path is led below it', async () => {
  const luna = await startLuna(await homeOf({}), { env: { LUNA_PUBLIC_URL: 'https://example.org/luna' } });
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(`${luna.url}/sign-in${new URL(luna.signInLink).hash}`);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  expect(page.url()).toBe(`${luna.url}/luna/`);
  await page.goto(`${luna.url}/account`);
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  expect(page.url()).toBe(`${luna.url}/luna/account`);
  expect(complaints.filter((line) => !/401/.test(line))).toEqual([]);
});
