import { expect, test } from 'vitest';
import { fixedTool, homeOf } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { expectGoodLooks, openBrowser } from './support/page.ts';

test('a missing key is set, another is pasted, changed and deleted, and no value is shown', async () => {
  const luna = await startLuna(
    await homeOf({
      'extensions/mail/config.json': JSON.stringify({ name: 'mail', required_secrets: ['MAIL_TOKEN'] }),
      'extensions/mail/tools/mail_tools.js': fixedTool('mail', 'm'),
    }),
  );
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Keys', exact: true }).click();
  await page.getByText('Wanted by mail').waitFor();
  await expectGoodLooks(page);

  await page.getByRole('button', { name: 'Set MAIL_TOKEN' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Value').fill('a-secret-value-1234');
  await expectGoodLooks(page);
  await page.keyboard.press('Enter');
  await page.getByText('Wanted by mail').waitFor({ state: 'detached' });
  await page.getByText('••••1234').waitFor();
  await page.getByText('used by mail').waitFor();
  expect((await luna.env()).MAIL_TOKEN).toBe('a-secret-value-1234');

  await page.getByRole('button', { name: 'Paste a .env' }).click();
  await dialog.getByLabel('Text').fill('# mine\nOTHER_KEY="another value here"\nSUPERVISOR_API_TOKEN=\n');
  await dialog.getByRole('button', { name: 'Set them' }).click();
  await page.getByText('OTHER_KEY', { exact: true }).waitFor();
  expect((await luna.env()).OTHER_KEY).toBe('another value here');

  await page.getByRole('button', { name: 'Change OTHER_KEY' }).click();
  await dialog.getByLabel('Value').fill('short');
  await dialog.getByRole('button', { name: 'Set', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  expect((await luna.env()).OTHER_KEY).toBe('short');
  await page.getByRole('button', { name: 'Delete OTHER_KEY' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('OTHER_KEY', { exact: true }).waitFor({ state: 'detached' });
  expect((await luna.env()).OTHER_KEY).toBeUndefined();

  await page.getByRole('button', { name: 'Set a key' }).click();
  await dialog.getByLabel('Name').fill('LUNA_ENCRYPTION_KEY');
  await dialog.getByLabel('Value').fill('x');
  await dialog.getByRole('button', { name: 'Set', exact: true }).click();
  await page.getByText('LUNA_ENCRYPTION_KEY cannot be set').first().waitFor();
  expect(await page.textContent('body')).not.toContain('a-secret-value');
  expect(complaints.filter((one) => !one.includes('409'))).toEqual([]);
});
