import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { homeOf } from '../integration/support/homes.ts';
import { repository, startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

test('a person sees what a server changed of a tool, rejects it, and approves it after all', async () => {
  const tools = (description: string) =>
    JSON.stringify([{ name: 'send', description, inputSchema: { type: 'object' } }]);
  const home = await homeOf({ 'served/tools.json': tools('Sends a letter.') });
  const file = join(home, 'served', 'tools.json');
  const args = [join(repository, 'test/integration/support/listing-server.ts'), file];
  const config = { remote_mcp_servers: { post: { command: process.execPath, args } } };
  await writeFile(join(home, 'master_config.json'), JSON.stringify(config));
  const luna = await startLuna(home);
  const { page, complaints } = await openBrowser(luna.url, { colorScheme: 'dark' });
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await page.goto(`${luna.url}/sources`);
  await page.getByRole('heading', { name: 'post' }).waitFor();

  await writeFile(`${file}.new`, tools('Sends a letter. <img src=x onerror=alert(1)>'));
  await rename(`${file}.new`, file);
  const section = page.getByRole('region', { name: 'Tools that wait for your approval' });
  await section.getByText('Sends a letter. <img src=x onerror=alert(1)>').waitFor();
  await section.getByText('Sends a letter.', { exact: true }).waitFor();
  await page.getByRole('list', { name: 'Warnings of post' }).getByText('is held back').waitFor();
  await expectAccessible(page);
  await section.getByRole('button', { name: 'Reject send of post' }).click();
  await section.getByText('and was rejected').waitFor();
  await section.getByRole('button', { name: 'Approve send of post' }).click();
  await section.waitFor({ state: 'detached' });
  await page.getByText('1 tool', { exact: true }).waitFor();
  await expectAccessible(page);
  expect(complaints).toEqual([]);
});
