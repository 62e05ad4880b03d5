import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startProtectedServer } from '../../packages/core/test/fixtures/protected-server.ts';
import { homeOf } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

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
