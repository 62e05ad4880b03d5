import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startProtectedServer } from '../../packages/core/test/fixtures/protected-server.ts';
import { homeOf, stdioServer } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, expectGoodLooks, openBrowser } from './support/page.ts';

test('a person authorizes Luna at a server, tests it, and takes the authorization back', async () => {
  const server = await startProtectedServer();
  onTestFinished(() => server.close());
  const config = { remote_mcp_servers: { guarded: { url: server.url.href } } };
  const luna = await startLuna(await homeOf({ 'master_config.json': JSON.stringify(config) }));
  const { page } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Sources', exact: true }).click();

  await page.getByText('Needs authorization', { exact: true }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Authorize Luna at guarded' }).click();
  await page.getByText('Ready', { exact: true }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/sources');

  await page.getByRole('button', { name: 'Test guarded' }).click();
  await page.getByText('“guarded” answers').first().waitFor();
  await page.getByRole('button', { name: 'Disconnect' }).click();
  await page.getByRole('button', { name: 'Disconnect' }).last().click();
  await page.getByText('Needs authorization', { exact: true }).waitFor();
  await expect.poll(() => server.told.revoked).toHaveLength(2);
});

test('the configuration of a client is pasted, and the setups of clients are shown without the key', async () => {
  const luna = await startLuna(await homeOf({}));
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Sources', exact: true }).click();
  await page.getByRole('button', { name: 'Add a server' }).click();
  await page.getByRole('radio', { name: 'In the configuration of a client' }).click();
  await page
    .getByRole('textbox', { name: 'Configuration' })
    .fill(
      '{ "servers": { /* mine */ "pasted": { "url": "http://127.0.0.1:9/", "headers": { "k": "${input:pasted-key}" } } } }',
    );
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const told = page.getByText('Set PASTED_KEY in the .env file').first();
  await told.waitFor();
  await page.getByRole('button', { name: 'Close' }).last().click();
  await told.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'pasted' }).waitFor();
  expect(await readFile(join(luna.home, 'master_config.json'), 'utf8')).toContain('${PASTED_KEY}');

  await page.getByRole('link', { name: 'Hubs', exact: true }).click();
  const key = await luna.hubKey();
  const card = page.getByRole('article', { name: 'Hub default' });
  await card.getByText('.mcp.json in the folder of a project').waitFor();
  expect(await card.textContent()).not.toContain(key);
  await expectAccessible(page);
  await card.getByRole('combobox').click();
  await page.getByRole('option', { name: 'Cursor' }).click();
  const link = await card.getByRole('link', { name: 'Add to Cursor' }).getAttribute('href');
  expect(link).toMatch(/^cursor:\/\//);
  expect(complaints).toEqual([]);
});

test('a server is added by its command, tested, switched off, and removed; what is refused is said in the dialog', async () => {
  const luna = await startLuna(await homeOf({}));
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Sources', exact: true }).click();
  const opener = page.getByRole('button', { name: 'Add a server' });
  const dialog = page.getByRole('dialog');
  const add = async (name: string, line: string) => {
    await opener.click();
    await dialog.getByRole('radio', { name: 'A command on this machine' }).click();
    await dialog.getByRole('textbox', { name: 'Command' }).fill(line);
    await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
    await page.keyboard.press('Enter');
  };
  await add('small', [stdioServer.command, ...stdioServer.args].map((word) => `"${word}"`).join(' '));
  await page.getByText('“small” was added').first().waitFor();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('Ready', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Close' }).last().click();

  await add('small', 'no-such-program');
  await dialog.getByText('Nothing was added').waitFor();
  await dialog.getByText(/"small" already/).waitFor();
  expect(await dialog.getByRole('textbox', { name: 'Command' }).inputValue()).toBe('no-such-program');
  await expectGoodLooks(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  // Who works with the keyboard goes on where they were.
  await expect.poll(() => opener.evaluate((button) => button === document.activeElement)).toBe(true);

  await page.getByRole('button', { name: 'Test small' }).click();
  await page.getByText('“small” answers').first().waitFor();
  await add('lost', 'no-such-program');
  await page.getByText('Down', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Test lost' }).click();
  await page.getByText('“lost” does not answer').first().waitFor();
  await page.getByRole('switch', { name: 'small is on' }).click();
  await page.getByText('Off', { exact: true }).waitFor();
  for (const name of ['small', 'lost']) {
    await page.getByRole('button', { name: `Remove ${name}` }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    // Behind a dialog there is no heading for anybody: the dialog goes first.
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name, exact: true }).waitFor({ state: 'detached' });
  }
  expect((await (await luna.api('GET', 'remote-mcp/list')).json()).servers).toEqual([]);
  expect(complaints.filter((line) => !/status of 409/.test(line))).toEqual([]);
}, 60_000);
