import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectHttp } from '../integration/support/clients.ts';
import { eventually } from '../integration/support/eventually.ts';
import { fixedTool, homeOf, put, stdioServer } from '../integration/support/homes.ts';
import { copyOfExampleHome, startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

const long = 'a_name_as_long_as_somebody_gives_who_does_not_think';

describe('the admin UI', () => {
  test('a person opens the link, switches a tool off, and a connected client no longer sees it', async () => {
    const luna = await startLuna(await copyOfExampleHome());
    const client = await connectHttp('sdk 1.x, 2025-11-25', luna);
    const { page, complaints } = await openBrowser(luna.url);

    await page.goto(luna.signInLink);
    await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
    expect(page.url()).toBe(`${luna.url}/`);
    const { toolCount } = await (await luna.api('GET', 'status')).json();
    await page.getByText(`${toolCount} tools`).first().waitFor();

    await page.getByRole('link', { name: 'Tools', exact: true }).click();
    await page.getByLabel('Search tools').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('sha-256');
    await page.getByText('1 tool found').waitFor();
    const changed = client.nextListChange();
    await page.getByRole('switch', { name: 'text_hash in default' }).click();
    await changed;
    expect((await client.tools()).map(({ name }) => name)).not.toContain('text_hash');
    await expect(client.call('text_hash', { text: 'x' })).rejects.toThrow('Unknown tool');

    const again = client.nextListChange();
    await page.getByRole('switch', { name: 'text_hash in default' }).click();
    await again;
    expect((await client.tools()).map(({ name }) => name)).toContain('text_hash');
    expect(complaints).toEqual([]);
  });

  test('a tool is tried by its form and by JSON, and what it sends stays inert', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const tool = `export const TOOLS = [{ name: 'evil', description: '${evil}', input: { type: 'object', properties: { n: { type: 'integer' }, text: { type: 'string' } }, required: ['n'] }, examples: [{ prompt: '${evil}', args: { n: 7 }, response: '${evil}' }], handler: ({ n, text }) => '${evil}' + n + text }];\n`;
    const luna = await startLuna(await homeOf({ 'extensions/e/tools/e_tools.js': tool }));
    const { page, complaints } = await openBrowser(luna.url);
    await page.goto(luna.signInLink);
    await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
    await page.goto(`${luna.url}/tools/evil`);

    await page.getByLabel('Examples').getByText(`“${evil}”`).waitFor();
    await page.getByLabel('Examples').getByText('"n": 7').waitFor();

    await page.getByRole('button', { name: 'Call' }).click();
    await page.getByText('“n” is missing.').waitFor();
    await page.getByLabel('n', { exact: true }).fill('7');
    await page.getByLabel('text', { exact: true }).fill('seven');
    await page.getByRole('button', { name: 'Call' }).click();
    await page.getByLabel('Result').getByText(`${evil}7seven`).waitFor();

    await page.getByRole('switch', { name: 'As JSON' }).click();
    await page.getByLabel('Arguments as JSON').fill('{"n":"no"}');
    await page.getByRole('button', { name: 'Call' }).click();
    await page.getByText('arguments/n must be integer').waitFor();
    expect(await page.title()).toBe('Tools · Luna');
    expect(complaints).toEqual([]);
  });

  test('changes in the home show without a reload: a new tool, a broken file, a server that goes', async () => {
    const home = await homeOf({
      'extensions/a/tools/a_tools.js': fixedTool('first', '1'),
      'master_config.json': JSON.stringify({ remote_mcp_servers: { server: stdioServer } }),
    });
    const luna = await startLuna(home);
    const { page } = await openBrowser(luna.url);
    await page.goto(luna.signInLink);
    await page.getByRole('link', { name: 'Tools', exact: true }).click();
    await page.getByRole('button', { name: 'first' }).waitFor();

    await put(home, 'extensions/b/tools/b_tools.js', fixedTool('second', '2'));
    await page.getByRole('button', { name: 'second' }).waitFor();
    await put(home, 'extensions/b/tools/b_tools.js', 'export const TOOLS = [\n');
    await page.getByText(/b_tools\.js:\d+/).waitFor();

    await page.getByRole('link', { name: 'Sources', exact: true }).click();
    await page.getByRole('switch', { name: 'server is on' }).click();
    await page.getByText('Off', { exact: true }).waitFor();

    await page.getByRole('link', { name: 'Dashboard', exact: true }).click();
    await rename(join(home, 'master_config.json'), join(home, 'kept.json'));
    await put(home, 'master_config.json', '{ "luna": }');
    await page.getByText('The configuration file is broken').waitFor();
    await page.getByText(/master_config\.json:1:\d+/).waitFor();
  });

  test('a hub is made, its key is shown and changed, and it is deleted', async () => {
    const luna = await startLuna(await homeOf({ 'extensions/a/tools/a_tools.js': fixedTool('a', '1') }));
    const { page } = await openBrowser(luna.url);
    await page.goto(luna.signInLink);
    await page.getByRole('link', { name: 'Hubs', exact: true }).click();
    await page.getByRole('button', { name: 'New hub' }).click();
    await page.getByLabel('Name').fill('research');
    await page.getByRole('button', { name: 'Create' }).click();
    const card = page.getByRole('article', { name: 'Hub research' });
    await card.getByRole('button', { name: 'Show the key of research' }).click();
    const key = await luna.hubKey('research');
    await card.getByText(key, { exact: true }).waitFor();

    await card.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
    await card.getByText(key, { exact: true }).waitFor({ state: 'hidden' });
    await eventually(async () => expect(await luna.hubKey('research')).not.toBe(key));

    await card.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await card.waitFor({ state: 'detached' });
  });

  test('a link that was used says what to do, and a page that was wanted comes after signing in', async () => {
    const luna = await startLuna(await homeOf({}));
    const first = await openBrowser(luna.url);
    await first.page.goto(luna.signInLink);
    await first.page.getByRole('heading', { name: 'Dashboard' }).waitFor();

    const { page } = await openBrowser(luna.url);
    await page.goto(luna.signInLink);
    await page.getByText('This link does not work').waitFor();
    await page.getByText('luna link').first().waitFor();
    await page.goto(`${luna.url}/hubs`);
    await page.getByRole('heading', { name: 'Sign in to Luna' }).waitFor();
    expect(page.url()).toBe(`${luna.url}/sign-in?next=/hubs`);
    const { url } = await (await luna.api('POST', 'sign-in-links')).json();
    await page.goto(`${luna.url}/sign-in?next=/hubs${new URL(url).hash}`);
    await page.getByRole('heading', { name: 'Hubs', level: 1 }).waitFor();
  });

  test.each(['light', 'dark'] as const)(
    'every page is free of barriers and of outside requests (%s)',
    async (colorScheme) => {
      const home = await homeOf({
        'extensions/a/tools/a_tools.js': fixedTool('a', '1'),
        'extensions/broken/tools/broken_tools.js': 'export const TOOLS = [',
        [`extensions/${long}/tools/long_tools.js`]: fixedTool(`${long}_without_a_place_to_break`, '1'),
        'master_config.json': JSON.stringify({
          remote_mcp_servers: { off: { ...stdioServer, enabled: false }, lost: { command: 'no-such-program' } },
        }),
      });
      const luna = await startLuna(home);
      await luna.api('POST', 'tools/call', { name: 'a' });
      await luna.api('POST', 'tools/call', { name: `${long}_without_a_place_to_break` });
      const { page, complaints } = await openBrowser(luna.url, { colorScheme });
      await page.goto(`${luna.url}/sign-in`);
      await page.getByRole('heading', { name: 'Sign in to Luna' }).waitFor();
      await expectAccessible(page);
      await page.goto(luna.signInLink);
      await page.getByRole('heading', { name: 'Latest calls' }).waitFor();
      await expectAccessible(page);
      for (const [path, sign] of [
        ['/tools', 'All on'],
        ['/tools/a', 'Try it'],
        ['/hubs', 'New hub'],
        ['/sources', 'Add a server'],
        ['/services', 'None yet'],
        ['/nothing', 'There is no such page'],
      ] as const) {
        await page.goto(luna.url + path);
        await page.getByText(sign).first().waitFor();
        await expectAccessible(page);
      }
      const rest = [
        'extensions',
        'queue',
        'external-services',
        'log',
        'agents',
        'runs',
        'schedules',
        'keys',
        'account',
      ];
      for (const path of ['/', ...['tools', 'hubs', 'sources', 'services', ...rest].map((one) => `/${one}`)]) {
        await page.setViewportSize({ width: 390, height: 844 });
        await page.goto(luna.url + path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(390);
      }
      expect(complaints.filter((complaint) => !complaint.includes('401'))).toEqual([]);
    },
  );
});
