import { expect, test } from 'vitest';
import { fixedTool, homeOf, put } from '../integration/support/homes.ts';
import { launchLuna, startLuna } from '../integration/support/luna-process.ts';
import { expectGoodLooks, openBrowser } from './support/page.ts';

const service = `#!/bin/sh
exec node -e "require('node:http').createServer((q, a) => { console.log('asked ' + q.url); a.end('here') }).listen($1, '127.0.0.1')"
`;

test('the log is chosen, filtered, and followed; Luna is restarted, and shut down, and every page says so', async () => {
  const luna = await launchLuna(
    await homeOf({
      'extensions/a/tools/a_tools.js': fixedTool('first', '1'),
      'extensions/a/services/web/start.sh': service,
    }),
  );
  const { page, complaints } = await openBrowser(luna.url);
  page.setDefaultTimeout(20_000);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await expectGoodLooks(page);

  await page.getByRole('link', { name: 'Log', exact: true }).click();
  const entries = page.getByRole('log', { name: 'Entries' });
  await entries.getByText('info').first().waitFor();
  await put(luna.home, 'extensions/b/tools/b_tools.js', 'export const TOOLS = [\n');
  await entries
    .getByText(/b_tools\.js:\d+/)
    .first()
    .waitFor();
  await expectGoodLooks(page);
  await page.getByRole('combobox', { name: 'Level' }).click();
  await page.getByRole('option', { name: 'Warnings and worse' }).click();
  await entries.getByText('info', { exact: true }).first().waitFor({ state: 'detached' });
  await page.getByLabel('Search the log').fill('no line has this');
  await page.getByText('No line fits.').waitFor();
  expect(page.url()).toBe(`${luna.url}/log?level=warn&q=no+line+has+this`);

  // A service has its own log; what it prints comes live, until following is switched off.
  await page.goto(`${luna.url}/log?of=service:a.web`);
  const knock = async (path: string) =>
    fetch(`${luna.url}/api/a/${path}`, {
      headers: { authorization: `Bearer ${(await luna.env()).SUPERVISOR_API_TOKEN}` },
    });
  await expect.poll(async () => (await knock('one')).status).toBe(200);
  await entries.getByText('asked /one').first().waitFor();
  await page.getByRole('switch', { name: 'Follow' }).click();
  await knock('two');
  await page.getByText('It stands still').waitFor();
  await page.getByRole('switch', { name: 'Follow' }).click();
  await entries.getByText('asked /two').waitFor();
  await page.getByRole('combobox', { name: 'Log of' }).click();
  await page.getByRole('option', { name: 'Everything' }).click();
  await entries.getByText('info').first().waitFor();

  const { pid } = await (await luna.api('GET', 'status')).json();
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Go to a page').fill('restart');
  await page.getByRole('option', { name: 'Restart or shut down Luna' }).waitFor();
  await expectGoodLooks(page);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Restart Luna' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('you stay signed in').waitFor();
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await page.getByText('Luna restarts.').waitFor();
  await page.getByText('Luna is back').first().waitFor({ timeout: 30_000 });
  await page.getByText('Luna restarts.').waitFor({ state: 'detached' });
  const again = await (await luna.api('GET', 'status')).json();
  expect(again.pid).not.toBe(pid);
  await page.getByText(`process ${again.pid}`).waitFor();

  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByText('Luna is back').first().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Shut down Luna' }).click();
  await dialog.getByRole('button', { name: 'Shut down' }).click();
  await page.getByText('Luna is shut down.').waitFor();
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => luna.child.exitCode, { timeout: 20_000 }).toBe(0);
  await expectGoodLooks(page);
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Go to a page').fill('light and dark');
  await page.keyboard.press('Enter');
  await page.locator('html.dark').waitFor();
  expect(
    complaints.filter(
      (line) => !/status of 50[23]|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE/.test(line),
    ),
  ).toEqual([]);
}, 120_000);

test('where nobody would start it again, Luna can only be shut down', async () => {
  const luna = await startLuna(await homeOf({}));
  const { page } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByText('It cannot restart from here').waitFor();
  expect(await page.getByRole('button', { name: 'Restart Luna' }).count()).toBe(0);
  // Nor would it be started by its new version: that is said where one asks for it.
  await page.getByRole('button', { name: 'Update Luna' }).click();
  const offer = page.getByRole('dialog', { name: 'Update Luna' });
  await offer.getByText('It cannot be updated from here').waitFor();
  await offer.getByText('luna start').first().waitFor();
  await offer.getByRole('button', { name: 'Close' }).last().click();
  await offer.waitFor({ state: 'detached' });
  // Who ends it elsewhere is seen here.
  await page.getByRole('button', { name: 'Shut down Luna' }).waitFor();
  await luna.stop();
  await page.getByText('Luna has ended.').waitFor();
});
