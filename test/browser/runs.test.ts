import { expect, test } from 'vitest';
import { homeOf } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

const tools = `export const TOOLS = [
  { name: 'echo', description: 'Says it back.', input: { type: 'object', properties: { text: { type: 'string' } } }, handler: ({ text }) => text },
  { name: 'wait', description: 'Never ends.', handler: (_args, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended')))) },
];\n`;

test('many runs come in pieces, and one that is gone says so', async () => {
  const luna = await startLuna(await homeOf({ 'extensions/m/tools/m_tools.js': tools }));
  const key = (await luna.env()).AGENT_API_KEY;
  const { page } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.getByText('No agent has run yet.').waitFor();
  await expectAccessible(page);
  for (let at = 0; at < 60; at++)
    await fetch(`${luna.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'direct_agent',
        messages: [{ role: 'user', content: `echo {"text":"number ${at}"}` }],
      }),
    });
  const runs = page.getByRole('list', { name: 'Runs' }).getByRole('listitem');
  await runs.getByText('number 59').waitFor();
  await expect.poll(() => runs.count()).toBe(50);
  await page.getByRole('button', { name: 'Show older runs' }).click();
  await runs.getByText('number 0"').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Show older runs' }).count()).toBe(0);
  await expect.poll(() => runs.count()).toBe(60);

  await page.goto(`${luna.url}/runs/run_none`);
  await page.getByText('There is no such run.').waitFor();
  await expectAccessible(page);
});

test('by the keyboard alone a preset is made, and an agent is asked and stopped', async () => {
  const luna = await startLuna(await homeOf({ 'extensions/m/tools/m_tools.js': tools }));
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await page.goto(`${luna.url}/agents`);
  const keyboard = async (...names: string[]) => {
    for (const name of names) await page.keyboard.press(name);
  };
  const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()');
  const opener = page.getByRole('button', { name: 'New preset' });
  await opener.focus();
  await keyboard('Enter');
  const editor = page.getByRole('dialog', { name: 'New preset' });
  await editor.waitFor();
  await keyboard('Escape');
  await editor.waitFor({ state: 'detached' });
  await expect.poll(focused).toBe('New preset');

  await keyboard('Enter');
  await editor.getByLabel('Name').focus();
  await page.keyboard.type('sayer');
  await keyboard('Tab', 'Tab', 'Enter');
  await page.getByRole('option', { name: 'direct_agent' }).waitFor();
  await page.keyboard.type('direct');
  await keyboard('Enter');
  await editor.getByLabel('Search tools').focus();
  await page.keyboard.type('echo');
  await editor.getByRole('switch', { name: 'wait' }).waitFor({ state: 'detached' });
  await editor.getByRole('switch', { name: 'echo' }).focus();
  await keyboard('Space');
  await editor.getByLabel('Name').focus();
  await keyboard('Enter');
  const row = page.getByRole('listitem', { name: 'Preset sayer' });
  await row.getByText('direct_agent · 1 tool').waitFor();

  await page.getByRole('combobox', { name: 'Agent or preset' }).focus();
  await keyboard('Enter');
  await page.getByRole('option', { name: 'direct_agent' }).waitFor();
  await page.keyboard.type('direct_agent');
  await keyboard('Enter');
  await page.getByRole('option', { name: 'direct_agent' }).waitFor({ state: 'detached' });
  await expect.poll(() => page.evaluate('document.activeElement.getAttribute("role")')).toBe('combobox');
  await keyboard('Tab');
  await page.keyboard.type('wait');
  expect(await page.getByLabel('Prompt').inputValue()).toBe('wait');
  await keyboard('Control+Enter');
  await page.getByText('Calling wait').waitFor();
  await keyboard('Tab');
  await expect.poll(focused).toBe('Stop');
  await keyboard('Enter');
  await page.getByText('You stopped it.').waitFor();
  await page.getByRole('link', { name: 'Open the run' }).click();
  await page.getByText('Cancelled', { exact: true }).waitFor();
  expect(complaints.filter((line) => !line.includes('404'))).toEqual([]);
});
