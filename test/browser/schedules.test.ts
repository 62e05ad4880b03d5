import { expect, test } from 'vitest';
import { eventually } from '../integration/support/eventually.ts';
import { homeOf } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

const tools = `export const TOOLS = [
  { name: 'greet', description: 'Greets.', input: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }, handler: ({ name }) => 'Hello ' + name },
  { name: 'break', description: 'Fails.', handler: () => { throw new Error('broken for good'); } },
];\n`;

for (const colorScheme of ['light', 'dark'] as const)
  test(`a schedule is made, run at once, seen in its history, and deleted (${colorScheme})`, async () => {
    const luna = await startLuna(await homeOf({ 'extensions/m/tools/m_tools.js': tools }));
    const { page, complaints } = await openBrowser(luna.url, { colorScheme });
    await page.goto(luna.signInLink);
    await page.getByRole('link', { name: 'Schedules', exact: true }).click();
    await page.getByText('None yet.').waitFor();
    await expectAccessible(page);

    await page.getByRole('button', { name: 'New schedule' }).click();
    const editor = page.getByRole('dialog', { name: 'New schedule' });
    const times = editor.getByRole('region', { name: 'Next times' });
    await editor.getByLabel('Name').fill('morning');
    await editor.getByLabel('Tool', { exact: true }).fill('greet');
    await editor.getByText('It takes: name').waitFor();
    await editor.getByLabel('Arguments').fill('{"name":');
    await editor.getByLabel('Cron expression').fill('0 9 * *');
    await times.getByText(/cannot be read/).waitFor();
    await editor.getByLabel('Cron expression').fill('0 9 * * 1');
    await editor.getByLabel('Time zone').fill('Europe/Berlin');
    await expect.poll(() => times.getByText(/T09:00:00\+0[12]:00/).count()).toBe(5);
    await editor.getByRole('button', { name: 'Create' }).click();
    await editor.getByText(/not valid JSON/).waitFor();
    await expectAccessible(page);
    await editor.getByLabel('Arguments').fill('{"name":"Ada"}');
    await editor.getByRole('combobox', { name: 'When the last run has not ended' }).click();
    await page.getByRole('option', { name: 'Wait for its turn' }).click();
    await editor.getByRole('combobox', { name: 'Under the hub' }).click();
    await page.getByRole('option', { name: 'default' }).click();
    await editor.getByRole('button', { name: 'Create' }).click();

    const row = page.getByRole('listitem', { name: 'Schedule morning' });
    await row.getByText('0 9 * * 1 (Europe/Berlin)').waitFor();
    await row.getByText('never').waitFor();
    await row.getByText('under the hub default').waitFor();
    await row.getByRole('button', { name: 'Run now: morning' }).click();
    const history = row.getByRole('region', { name: 'History of morning' });
    await history.getByText('Hello Ada').waitFor();
    await history.getByText('by hand').waitFor();
    await expectAccessible(page);

    await row.getByRole('switch', { name: 'Schedule morning is on' }).click();
    await row.getByText('off', { exact: true }).waitFor();
    // The page shows a switch before Luna has taken it.
    await eventually(async () => {
      const { schedules } = await (await luna.api('GET', 'schedules')).json();
      expect(schedules).toMatchObject([
        { overlap: 'queue', hub: 'default', enabled: false, action: { args: { name: 'Ada' } } },
      ]);
    });

    await row.getByRole('button', { name: 'Edit morning' }).click();
    const form = page.getByRole('dialog', { name: 'Schedule morning' });
    await form.getByLabel('Tool', { exact: true }).fill('break');
    await form.getByLabel('Arguments').fill('');
    await form.getByRole('combobox', { name: 'Under the hub' }).click();
    await page.getByRole('option', { name: 'No hub: every tool' }).click();
    await form.getByRole('combobox', { name: 'With the preset' }).waitFor();
    await form.getByText('Again and again').click();
    await form.getByLabel('Every').fill('2');
    await form.getByRole('combobox', { name: 'Unit' }).click();
    await page.getByRole('option', { name: 'hours' }).click();
    await expect.poll(() => times.getByRole('listitem').count()).toBe(0);
    await form.getByRole('button', { name: 'Save' }).click();
    await row.getByText('every 2 hours').waitFor();
    await row.getByText('under the hub default').waitFor({ state: 'detached' });
    // What others run is seen without a reload.
    await luna.api('POST', 'schedules/morning/run', {});
    await history.getByText(/broken for good/).waitFor();
    await expectAccessible(page);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await expectAccessible(page);

    await row.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('None yet.').waitFor();
    // The times that were asked for on the way were refused.
    expect(complaints.filter((line) => !/status of 400/.test(line))).toEqual([]);
  });

test('an agent is asked once at a time, and what others make appears', async () => {
  const luna = await startLuna(await homeOf({ 'extensions/m/tools/m_tools.js': tools }));
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Schedules', exact: true }).click();
  await page.getByText('None yet.').waitFor();
  await luna.api('POST', 'schedules', { name: 'ticker', action: { tool: 'break' }, when: { every_seconds: 1 } });
  const ticker = page.getByRole('listitem', { name: 'Schedule ticker' });
  await ticker.getByText('every second').waitFor();
  await ticker.getByText(/broken for good/).waitFor();
  await ticker.getByText('Failed', { exact: true }).waitFor();

  await page.getByRole('button', { name: 'New schedule' }).click();
  const editor = page.getByRole('dialog', { name: 'New schedule' });
  await editor.getByLabel('Name').fill('reminder');
  await editor.getByText('Ask an agent').click();
  await editor.getByRole('combobox', { name: 'Agent or preset' }).click();
  await page.getByRole('option', { name: 'direct_agent' }).click();
  await editor.getByLabel('Prompt').fill('greet {"name":"Bo"}');
  await editor.getByText('Once', { exact: true }).click();
  await editor.getByLabel('Time', { exact: true }).fill('2035-06-01T18:00');
  await editor.getByLabel('Time zone').fill('Europe/Berlin');
  await editor.getByText('2035-06-01T18:00:00+02:00').waitFor();
  await expectAccessible(page);
  await editor.getByRole('button', { name: 'Create' }).click();
  const row = page.getByRole('listitem', { name: 'Schedule reminder' });
  await row.getByText('once, 2035-06-01 18:00 (Europe/Berlin)').waitFor();
  await row.getByRole('button', { name: 'Run now: reminder' }).click();
  await row.getByText('Hello Bo').waitFor();

  // Its run is among those of agents.
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.getByText('schedule reminder').waitFor();
  expect(complaints).toEqual([]);
});

test('an answer that was on its way when things changed is not the last word', async () => {
  const luna = await startLuna(await homeOf({ 'extensions/m/tools/m_tools.js': tools }));
  const { page } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Schedules', exact: true }).click();
  const action = { tool: 'greet', args: { name: 'Ada' } };
  await luna.api('POST', 'schedules', { name: 'greeter', action, when: { every_seconds: 3600 } });
  const row = page.getByRole('listitem', { name: 'Schedule greeter' });
  await row.getByText('never', { exact: true }).waitFor();

  const changed = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await page.route(
    '**/schedules/*/runs',
    async (route) => {
      const response = await route.fetch();
      asked.resolve();
      await changed.promise;
      await route.fulfill({ response });
    },
    { times: 1 },
  );
  await row.getByRole('button', { name: 'History of greeter' }).click();
  await asked.promise;
  await luna.api('POST', 'schedules/greeter/run', {});
  await eventually(async () => {
    const { runs } = await (await luna.api('GET', 'schedules/greeter/runs')).json();
    expect(runs).toMatchObject([{ status: 'succeeded' }]);
  });
  await row.getByText('never', { exact: true }).waitFor({ state: 'detached' });
  changed.resolve();
  await row.getByRole('region', { name: 'History of greeter' }).getByText('Hello Ada').waitFor();
});
