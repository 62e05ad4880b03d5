import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commitTo, serveGit } from '../../packages/core/test/fixtures/git-server.ts';
import { startNpmRegistry } from '../../packages/core/test/fixtures/npm-registry.ts';
import { zipOf } from '../../packages/core/test/fixtures/zip-bytes.ts';
import { fixedTool, homeOf, put } from '../integration/support/homes.ts';
import { startLuna, temporaryFolder } from '../integration/support/luna-process.ts';
import { expectGoodLooks, openBrowser } from './support/page.ts';

/** An install fetches, starts processes and waits for them; on a busy machine that takes its time. */
const installMs = 30_000;
const settings = JSON.stringify({ luna: { git_protocols: ['https', 'http'], allowed_private_hosts: ['127.0.0.1'] } });
const board = `#!/bin/sh
exec node -e "require('node:http').createServer((q, a) => a.end('the page')).listen($1, '127.0.0.1')"
`;
const notes = (version: string, more: Record<string, string> = {}) => ({
  'config.json': JSON.stringify({
    name: 'notes',
    version,
    description: 'Keeps notes.',
    required_secrets: ['NOTES_TOKEN'],
  }),
  'tools/notes_tools.js': fixedTool('notes_greet', version),
  'ui/start.sh': board,
  ...more,
});

test('extensions are looked at, installed, updated, taken back, switched and removed; the queue tells of it', async () => {
  const repositories = await temporaryFolder();
  const git = await serveGit(repositories);
  await commitTo(repositories, 'notes', notes('1.0.0'));
  const registry = await startNpmRegistry();
  registry.publish('helper', '1.0.0', { 'index.js': 'export default 1;' });
  const luna = await startLuna(await homeOf({ 'master_config.json': settings }), {
    env: { NPM_CONFIG_REGISTRY: registry.url, npm_config_registry: registry.url, HOME: await temporaryFolder() },
  });
  const answer = async (name: string) => {
    const called = await luna.api('POST', 'tools/call', { name });
    return called.ok ? (await called.json()).result.content[0].text : called.status;
  };
  const { page, complaints } = await openBrowser(luna.url);
  page.setDefaultTimeout(installMs);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();

  // By the palette, with keys alone.
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Go to a page').fill('extens');
  await page.keyboard.press('Enter');
  await page.getByText('None yet.').waitFor();

  await page.getByRole('button', { name: 'Install', exact: true }).click();
  const panel = page.getByRole('dialog');
  const installed = async (name: string) => {
    await panel.getByText(/ is installed| was not installed/).waitFor();
    expect(await panel.textContent()).toContain(`${name} is installed`);
  };
  await panel.getByLabel('Source').fill(`${git.url}/nothing.git`);
  await panel.getByRole('button', { name: 'Show what it brings' }).click();
  await panel.getByText('It cannot be shown').waitFor();
  await panel.getByLabel('Source').fill(`${git.url}/notes.git`);
  await page.keyboard.press('Enter');
  await panel.getByText('tools/notes_tools.js').first().waitFor();
  await panel.getByText("a.end('the page')").waitFor();
  await panel.getByText('NOTES_TOKEN is not set yet').waitFor();
  expect(await answer('notes_greet')).toBe(404);
  await expectGoodLooks(page);
  await panel.getByRole('button', { name: 'Install now' }).click();
  await installed('notes');
  await panel.getByRole('button', { name: 'Close' }).last().click();
  expect(await answer('notes_greet')).toBe('1.0.0');

  const row = page.getByRole('listitem', { name: 'Extension notes' });
  await row.getByText('1.0.0').waitFor();
  await row.getByRole('link', { name: 'Set NOTES_TOKEN' }).waitFor();
  expect(await row.getByRole('link', { name: 'Open notes' }).getAttribute('href')).toMatch(/\/ext\/notes/);
  await expectGoodLooks(page);

  const packages = { 'package.json': JSON.stringify({ type: 'module', dependencies: { helper: '1.0.0' } }) };
  await commitTo(repositories, 'notes', notes('2.0.0', packages));
  await page.getByRole('button', { name: 'Look for updates' }).click();
  await row.getByText('There is 2.0.0.').waitFor();
  await row.getByRole('button', { name: 'Update notes' }).click();
  await panel.getByText('takes the place of 1.0.0').waitFor();
  await panel.getByText('helper 1.0.0').waitFor();
  await panel.getByRole('button', { name: 'Put into the queue' }).click();
  await panel.getByText('It waits in the queue').waitFor();
  await panel.getByRole('link', { name: 'Open the queue' }).click();
  await page.getByRole('heading', { name: 'Queue' }).waitFor();
  await page.getByRole('link', { name: '1 waiting in the queue' }).first().waitFor();
  await page.getByText('Update notes').waitFor();
  await expectGoodLooks(page);
  // The registry answers only when the page has told that it is asked.
  const answers = Promise.withResolvers<void>();
  registry.delay = () => answers.promise;
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.locator('[aria-current=step]').getByText('Packages, and the switch').waitFor();
  await page.getByRole('list', { name: 'Operations' }).getByText('Under way').waitFor();
  await page.getByRole('link', { name: '1 under way in the queue' }).first().waitFor();
  await expectGoodLooks(page);
  answers.resolve();
  await page.getByText('The one before: Done').waitFor();
  await page.getByText('Nothing waits.').waitFor();
  await page.getByText('What it told').click();
  await page.getByRole('log', { name: 'Progress' }).getByText('Put updates beside · update notes').waitFor();
  expect(await answer('notes_greet')).toBe('2.0.0');

  await page.getByRole('link', { name: 'Extensions', exact: true }).click();
  await row.getByRole('button', { name: 'Roll back notes' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
  await row.getByText('It is 1.0.0 again.').waitFor();
  expect(await answer('notes_greet')).toBe('1.0.0');
  await row.getByRole('switch', { name: 'notes is on' }).click();
  await row.getByText('Off', { exact: true }).waitFor();
  await row.getByRole('switch', { name: 'notes is on' }).click();
  await row.getByText('Ready', { exact: true }).waitFor();

  await row.getByRole('link', { name: 'notes', exact: true }).click();
  await panel.getByRole('link', { name: 'notes_greet' }).waitFor();
  await panel.getByRole('link', { name: 'Set it' }).waitFor();
  expect(page.url()).toBe(`${luna.url}/extensions/notes`);
  await expectGoodLooks(page);
  await page.keyboard.press('Escape');

  await row.getByRole('button', { name: 'Remove notes' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('notes is removed').first().waitFor();
  await page.getByText('None yet.').waitFor();
  expect(await answer('notes_greet')).toBe(404);
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await row.getByText('1.0.0').waitFor();

  // A zip file, by the same way.
  const zip = zipOf([
    { name: 'config.json', content: JSON.stringify({ name: 'packed', version: '3.0.0' }) },
    { name: 'tools/packed_tools.js', content: fixedTool('packed', 'from a zip') },
  ]);
  await page.getByRole('button', { name: 'Install', exact: true }).click();
  await panel.getByText('A zip file here').click();
  await panel
    .locator('input[type=file]')
    .setInputFiles({ name: 'packed.zip', mimeType: 'application/zip', buffer: zip });
  await panel.getByRole('button', { name: 'Show what it brings' }).click();
  await panel.getByText('tools/packed_tools.js').first().waitFor();
  await panel.getByRole('button', { name: 'Install now' }).click();
  await installed('packed');
  expect(await answer('packed')).toBe('from a zip');
  expect(complaints.filter((line) => !/status of (4\d\d|502)/.test(line))).toEqual([]);
}, 120_000);

test('a version that does not load is told in place, parked after three failures, and discarded', async () => {
  const repositories = await temporaryFolder();
  const git = await serveGit(repositories);
  const broken = {
    'config.json': '{ "name": "notes" }',
    'tools/notes_tools.js': 'export const TOOLS = [\n  oops,\n];\n',
  };
  await commitTo(repositories, 'notes', broken);
  const luna = await startLuna(await homeOf({ 'master_config.json': settings }));
  const { page } = await openBrowser(luna.url);
  page.setDefaultTimeout(installMs);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  // A deep link fills the form in; the person decides.
  await page.goto(`${luna.url}/extensions?install=${encodeURIComponent(`${git.url}/notes.git`)}`);
  const panel = page.getByRole('dialog');
  await panel.getByRole('button', { name: 'Show what it brings' }).click();
  await panel.getByRole('button', { name: 'Install now' }).click();
  await panel.getByText('It was not installed').waitFor();
  await panel.getByText(/notes_tools\.js:2/).waitFor();
  await expectGoodLooks(page);
  await panel.getByRole('link', { name: 'Open the queue' }).click();

  const operations = page.getByRole('list', { name: 'Operations' });
  await operations.getByText('Failed', { exact: true }).waitFor();
  await page.getByText('failed 1 of 3 times').waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('failed 2 of 3 times').waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('Parked', { exact: true }).waitFor();
  await page.getByText('It failed three times').waitFor();
  await expectGoodLooks(page);

  // What is parked is begun anew.
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('failed 1 of 3 times').waitFor();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  await page.getByText('Nothing waits.').waitFor();

  // What others put there appears by itself.
  await put(luna.home, join('extensions', 'other', 'tools', 'other_tools.js'), fixedTool('other', 'O'));
  await expect.poll(async () => (await luna.api('GET', 'extensions/other')).status).toBe(200);
  await luna.api('POST', 'queue/save', { operations: [{ type: 'delete', name: 'other' }] });
  await page.getByText('Remove other').waitFor();
  await page.getByRole('button', { name: 'Take out: Remove other' }).click();
  await page.getByText('Nothing waits.').waitFor();
}, 120_000);
