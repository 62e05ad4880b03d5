import { expect, test } from 'vitest';
import { untilService } from '../integration/support/external-services.ts';
import { homeOf } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { freePort } from '../integration/support/ports.ts';
import { expectGoodLooks, openBrowser } from './support/page.ts';

const server = `require('node:http').createServer((request, response) => response.end('shelf of ' + process.env.LUNA_CONFIG_OWNER)).listen(Number(process.env.LUNA_CONFIG_PORT), '127.0.0.1', () => console.log('listening'))`;

test('a definition is added, installed by its form with its log in sight, driven, and uninstalled', async () => {
  const port = await freePort();
  const definition = {
    name: 'shelf',
    display_name: 'Book shelf',
    description: 'Keeps books.',
    config_form: {
      fields: [
        { name: 'port', label: 'Port', type: 'port', default: port },
        { name: 'owner', label: 'Owner', help: 'Whose books they are.' },
        { name: 'size', label: 'Size', type: 'select', options: ['small', 'large'], default: 'small' },
        { name: 'token', label: 'Token', type: 'password', generate: true, required: false },
        { name: 'open', label: 'Open to all', type: 'checkbox', default: true },
      ],
    },
    commands: {
      // Fails for somebody who has no shelf.
      install: 'echo "making a {{size}} shelf"; test {{owner}} != nobody && touch "$LUNA_SERVICE_DATA_DIR/made"',
      run: [process.execPath, '-e', server],
    },
    provides_vars: ['SHELF_PORT'],
    post_install_env: { SHELF_TOKEN: '{{token}}' },
    ui: { port_field: 'port' },
  };
  const luna = await startLuna(await homeOf({ 'external_services/broken/service.json': '{ "name": ' }));
  const { page, complaints } = await openBrowser(luna.url);
  page.setDefaultTimeout(20_000);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'External services', exact: true }).click();
  await page.getByText('None yet. Choose one below').waitFor();
  await page.getByText(/service\.json:1:\d+/).waitFor();

  await page.getByRole('button', { name: 'Add a definition' }).click();
  const dialog = page.getByRole('dialog');
  const upload = (content: string) =>
    dialog
      .locator('input[type=file]')
      .setInputFiles({ name: 'service.json', mimeType: 'application/json', buffer: Buffer.from(content) });
  await upload('{\n  "name": "shelf",\n  "commands": 5\n}');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.getByText('It was not added').waitFor();
  await expectGoodLooks(page);
  await dialog.getByText('As text').click();
  await dialog.getByLabel('service.json').fill(JSON.stringify(definition));
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();

  // It opens at its own address, with its commands in sight, and nothing of it has run.
  const panel = page.getByRole('dialog', { name: 'Book shelf' });
  await panel.getByText('touch "$LUNA_SERVICE_DATA_DIR/made"').waitFor();
  expect(page.url()).toBe(`${luna.url}/external-services/shelf`);
  expect(await panel.getByLabel('Port').inputValue()).toBe(String(port));
  expect(await panel.getByLabel('Token').getAttribute('type')).toBe('password');
  await panel.getByLabel('Port').fill('99999');
  await panel.getByLabel('Owner').fill('nobody');
  await panel.getByRole('combobox', { name: 'Size' }).click();
  await page.getByRole('option', { name: 'large' }).click();
  await panel.getByRole('button', { name: 'Install', exact: true }).click();
  await panel.getByText(/it is more than 65535/).waitFor();
  await expectGoodLooks(page);

  await panel.getByLabel('Port').fill(String(port));
  await panel.getByRole('button', { name: 'Install', exact: true }).click();
  await panel.getByText('The install failed, and was undone').waitFor();
  await panel.getByRole('log').getByText('making a large shelf').waitFor();
  await panel.getByLabel('Owner').fill('Ada');
  await panel.getByRole('button', { name: 'Install again' }).click();
  await panel.getByText('It is installed and runs').waitFor();
  await panel.getByText('Set in .env: SHELF_PORT, SHELF_TOKEN').waitFor();
  await expectGoodLooks(page);
  const { SHELF_TOKEN: token = '' } = await luna.env();
  expect(token.length).toBeGreaterThan(20);
  expect(await page.textContent('body')).not.toContain(token);
  await page.keyboard.press('Escape');

  const row = page.getByRole('listitem', { name: 'External service shelf' });
  await row.getByText('Running', { exact: true }).waitFor();
  const opened = page.context().waitForEvent('page');
  await row.getByRole('link', { name: 'Open shelf' }).click();
  const other = await opened;
  await other.getByText('shelf of Ada').waitFor();
  await other.close();
  await row.getByRole('button', { name: 'Log of shelf' }).click();
  await row.getByRole('log').getByText('listening').first().waitFor();
  await row.getByRole('button', { name: 'Restart shelf' }).click();
  await expect.poll(() => row.getByRole('log').textContent()).toMatch(/listening[\s\S]*listening/);
  await expectGoodLooks(page);
  await row.getByRole('button', { name: 'Stop shelf' }).click();
  await row.getByText('Stopped', { exact: true }).waitFor();
  await row.getByRole('button', { name: 'Start shelf' }).click();
  await row.getByText('Running', { exact: true }).waitFor();
  await row.getByRole('switch', { name: 'shelf is kept running' }).click();
  await row.getByText('Stopped', { exact: true }).waitFor();
  await untilService(luna, 'shelf', { enabled: false });

  await row.getByRole('button', { name: 'Uninstall shelf' }).click();
  await dialog.getByLabel('Delete its data too').check();
  await dialog.getByRole('button', { name: 'Uninstall', exact: true }).click();
  await page.getByText('None yet. Choose one below').waitFor();
  await untilService(luna, 'shelf', { status: 'not_installed', hasData: false });
  await page.getByRole('button', { name: 'Install shelf' }).waitFor();
  expect((await luna.env()).SHELF_TOKEN).toBeUndefined();
  expect(complaints.filter((line) => !/status of 4\d\d/.test(line))).toEqual([]);
}, 120_000);

test('a service is put into the queue with its settings, and installed when that is applied', async () => {
  const definition = {
    name: 'shelf',
    display_name: 'Book shelf',
    config_form: {
      fields: [
        { name: 'port', label: 'Port', type: 'port', default: await freePort() },
        { name: 'owner', label: 'Owner' },
        { name: 'token', label: 'Token', type: 'password' },
      ],
    },
    commands: { run: [process.execPath, '-e', server] },
    post_install_env: { SHELF_TOKEN: '{{token}}' },
  };
  const luna = await startLuna(await homeOf({ 'external_services/shelf/service.json': JSON.stringify(definition) }));
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await page.goto(`${luna.url}/external-services/shelf`);
  const panel = page.getByRole('dialog', { name: 'Book shelf' });
  const later = panel.getByRole('button', { name: 'Put into the queue' });

  // The form is looked at as for an install: what is missing or does not fit is said before anything waits.
  await later.click();
  expect(await panel.getByLabel('Owner').evaluate((field: HTMLInputElement) => field.validity.valueMissing)).toBe(true);
  await panel.getByLabel('Owner').fill('Ada');
  await panel.getByLabel('Token').fill('short');
  await later.click();
  await panel.getByText('a secret has at least 8 characters').waitFor();
  await panel.getByLabel('Token').fill('a-token-of-Ada');
  await later.click();
  await panel.getByText('It waits in the queue').waitFor();
  expect(await panel.getByLabel('Token').inputValue()).toBe('');
  expect(await later.isDisabled()).toBe(true);
  await untilService(luna, 'shelf', { status: 'not_installed' });
  await expectGoodLooks(page);

  await panel.getByRole('link', { name: 'Open the queue' }).click();
  await page.getByText('Install service shelf').waitFor();
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText('The one before: Done').waitFor();
  await untilService(luna, 'shelf', { status: 'running', config: { owner: 'Ada' } });
  expect((await luna.env()).SHELF_TOKEN).toBe('a-token-of-Ada');
  await page.getByRole('link', { name: 'External services', exact: true }).click();
  await page.getByRole('listitem', { name: 'External service shelf' }).getByText('Running', { exact: true }).waitFor();
  expect(complaints.filter((line) => !/status of 4\d\d/.test(line))).toEqual([]);
}, 60_000);
