import { expect, test } from 'vitest';
import { fixedTool, homeOf } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

test('a person gives a hub another name and a limit', async () => {
  const luna = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await page.goto(`${luna.url}/hubs`);
  await page.getByRole('article', { name: 'Hub default' }).getByText('1 tool ·').waitFor();

  await page.getByRole('button', { name: 'Settings of default' }).click();
  const dialog = page.getByRole('dialog', { name: 'Settings of default' });
  await dialog.getByLabel('Calls per minute').fill('30');
  await dialog.getByLabel('Name').fill('main');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('It was not changed').waitFor();
  await expectAccessible(page);
  await dialog.getByLabel('Name').fill('team');
  await dialog.getByRole('button', { name: 'Save' }).click();

  const card = page.getByRole('article', { name: 'Hub team' });
  await card.getByText(`${luna.url}/api/mcp-team`).first().waitFor();
  await card.getByText('30 calls per minute').waitFor();
  await expectAccessible(page);
  const { servers } = await (await luna.api('GET', 'mcp-servers')).json();
  expect(servers).toContainEqual(expect.objectContaining({ name: 'team', callsPerMinute: 30 }));

  await page.getByRole('button', { name: 'Settings of team' }).click();
  await page.getByRole('dialog').getByLabel('Calls per minute').fill('');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await card.getByText('30 calls per minute').waitFor({ state: 'detached' });
  expect(complaints.filter((line) => !/status of 4\d\d/.test(line))).toEqual([]);
});

test('a key of which only a hash is kept is shown once', async () => {
  const luna = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', 'A') }));
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await page.goto(`${luna.url}/hubs`);

  await page.getByRole('button', { name: 'New hub' }).click();
  await page.getByLabel('Name').fill('quiet');
  await page.getByRole('checkbox', { name: 'Show the key here later' }).click();
  await page.getByRole('button', { name: 'Create' }).click();
  const dialog = page.getByRole('dialog', { name: 'The key of quiet' });
  const key = (await dialog.locator('code').textContent()) ?? '';
  expect(key).toMatch(/^luna-hub-/);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Done' }).click();
  const card = page.getByRole('article', { name: 'Hub quiet' });
  await card.getByText('Kept as a hash').waitFor();
  expect(await page.content()).not.toContain(key);
  await expectAccessible(page);

  await card.getByRole('button', { name: 'New key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
  const again = page.getByRole('dialog', { name: 'The key of quiet' });
  await again.waitFor();
  expect(await again.locator('code').textContent()).not.toBe(key);
  await again.getByRole('button', { name: 'Done' }).click();
  await again.waitFor({ state: 'detached' });
  // Of two dialogs, one after the other, the focus comes back to the button that opened the first.
  const opener = card.getByRole('button', { name: 'New key' });
  await expect.poll(() => opener.evaluate((button) => button === document.activeElement)).toBe(true);
  expect(complaints).toEqual([]);
});
