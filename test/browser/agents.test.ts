import { expect, test } from 'vitest';
import { modelKey, scriptedModel } from '../../packages/core/test/fixtures/scripted-model.ts';
import { homeOf, put } from '../integration/support/homes.ts';
import { startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

const tools = `export const TOOLS = [
  { name: 'add', description: 'Adds two numbers.', input: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] }, handler: ({ a, b }) => String(a + b) },
  { name: 'wipe', description: 'Deletes everything.', handler: () => 'wiped' },
];\n`;

async function lunaWith(config: object = {}, env = '') {
  const home = await homeOf({
    '.env': env,
    'extensions/m/tools/m_tools.js': tools,
    'master_config.json': JSON.stringify(config),
  });
  return startLuna(home, { env: { OPENAI_API_KEY: '', OPENAI_BASE_URL: '', LUNA_DEFAULT_LLM: '' } });
}

for (const colorScheme of ['light', 'dark'] as const)
  test(`a preset is made, asked, its run opened, and changed (${colorScheme})`, async () => {
    const luna = await lunaWith();
    const { page, complaints } = await openBrowser(luna.url, { colorScheme });
    await page.goto(luna.signInLink);
    await page.getByRole('link', { name: 'Agents', exact: true }).click();
    await page.getByText('Agents need a model').waitFor();
    await page.getByText('OPENAI_API_KEY').first().waitFor();
    await page.getByText('built in').first().waitFor();
    await expectAccessible(page);

    await page.getByRole('button', { name: 'New preset' }).click();
    const editor = page.getByRole('dialog', { name: 'New preset' });
    await editor.getByLabel('Name').fill('adder');
    await editor.getByLabel('Description').fill('Adds and nothing else');
    await editor.getByRole('combobox', { name: 'Agent' }).click();
    await page.getByRole('option', { name: 'direct_agent' }).click();
    await editor.getByLabel('Temperature').fill('0.5');
    await editor.getByText('Limits', { exact: true }).click();
    await editor.getByLabel('Seconds of one turn').fill('30');
    await editor.getByLabel('Search tools').fill('adds numbers');
    await editor.getByRole('switch', { name: 'wipe' }).waitFor({ state: 'detached' });
    await editor.getByRole('switch', { name: 'add', exact: true }).click();
    await editor.getByText('1 of 2 tools on').waitFor();
    await expectAccessible(page);
    await editor.getByRole('button', { name: 'Create' }).click();
    const row = page.getByRole('listitem', { name: 'Preset adder' });
    await row.getByText('direct_agent · 1 tool').waitFor();
    await row.getByText('Adds and nothing else').waitFor();

    await row.getByRole('button', { name: 'Try adder' }).click();
    // The box for the prompt has the focus already.
    await page.keyboard.type('add {"a":2,"b":3}');
    await page.keyboard.press('Control+Enter');
    const answer = page.getByRole('region', { name: 'Answer' });
    await answer.getByText('5', { exact: true }).waitFor();
    const steps = page.getByRole('list', { name: 'Steps' });
    await steps.getByText('"b": 3').waitFor();
    await expectAccessible(page);

    // A tool that the preset does not have is not there for it.
    await page.getByLabel('Prompt').fill('wipe');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('Not answered').waitFor();
    await page.getByText(/wipe/).last().waitFor();

    await page.getByLabel('Prompt').fill('add {"a":20,"b":22}');
    await page.getByRole('button', { name: 'Ask' }).click();
    await answer.getByText('42', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Open the run' }).click();
    await page.getByRole('heading', { name: 'Run', exact: true }).waitFor();
    await page.getByText('adder (direct_agent)').waitFor();
    await page.getByRole('list', { name: 'Steps' }).getByText('"a": 20').waitFor();
    await page.getByText('0 in, 0 out').waitFor();
    await expectAccessible(page);

    await page.getByRole('link', { name: 'All runs' }).click();
    const runs = page.getByRole('list', { name: 'Runs' });
    await expect.poll(() => runs.getByRole('listitem').count()).toBe(3);
    // One that another client asks for appears by itself.
    await fetch(`${luna.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${(await luna.env()).AGENT_API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'direct_agent', messages: [{ role: 'user', content: 'wipe' }] }),
    });
    await expect.poll(() => runs.getByRole('listitem').count()).toBe(4);
    await page.getByRole('combobox', { name: 'Status' }).click();
    await page.getByRole('option', { name: 'Failed' }).click();
    await expect.poll(() => runs.getByRole('listitem').count()).toBe(1);
    await page.getByRole('combobox', { name: 'Agent' }).click();
    await page.getByRole('option', { name: 'direct_agent' }).click();
    await page.getByText('No run fits.').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Show all runs' }).click();
    await expect.poll(() => runs.getByRole('listitem').count()).toBe(4);
    await expectAccessible(page);
    for (const path of ['/runs', '/agents']) {
      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto(luna.url + path);
      await page.getByRole('listitem').first().waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(390);
    }
    await expectAccessible(page);
    // The refused run is told as an error by the server; the browser notes it.
    expect(complaints.filter((line) => !/status of (404|502)/.test(line))).toEqual([]);
  });

test('a preset that names a tool that is gone says so, and is mended, switched off and deleted', async () => {
  const tool_config = { add: { enabled: true }, lost_tool: { enabled: true } };
  const luna = await lunaWith({ agent_presets: { worker: { base_agent: 'direct_agent', tool_config } } });
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await page.goto(`${luna.url}/agents`);
  const row = page.getByRole('listitem', { name: 'Preset worker' });
  await row.getByText(/not there: lost_tool/).waitFor();
  await row.getByRole('button', { name: 'Edit worker' }).click();
  const editor = page.getByRole('dialog', { name: 'Preset worker' });
  await editor.getByRole('list', { name: 'Tools that are gone' }).getByText('lost_tool').waitFor();
  await expectAccessible(page);
  await editor.getByRole('button', { name: 'Take out lost_tool' }).click();
  await editor.getByRole('switch', { name: 'wipe' }).click();
  await editor.getByRole('switch', { name: 'add', exact: true }).click();
  await editor.getByRole('button', { name: 'Save' }).click();
  // What is behind a dialog has no role, so that it would seem to be gone.
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await row.getByText(/not there/).waitFor({ state: 'detached' });
  const { tools: after } = await (await luna.api('GET', 'agents/presets/worker/tools')).json();
  expect(after).toEqual([
    expect.objectContaining({ name: 'add', enabled: false }),
    expect.objectContaining({ name: 'wipe', enabled: true }),
  ]);

  // A tool that goes now is told without a reload.
  await put(luna.home, 'extensions/m/tools/m_tools.js', tools.replace("name: 'wipe'", "name: 'other'"));
  await row.getByText(/not there: m__wipe/).waitFor();
  await row.getByRole('switch', { name: 'Preset worker is on' }).click();
  await row.getByText('Off', { exact: true }).waitFor();
  await row.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await row.waitFor({ state: 'detached' });
  await page.getByText('None yet.').waitFor();
  expect(complaints).toEqual([]);
});

test('the key of agents is hidden, shown, and made anew', async () => {
  const luna = await lunaWith();
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Agents', exact: true }).click();
  const access = page.getByRole('region', { name: 'Connect a client' });
  await access.getByText(`${luna.url}/v1`, { exact: true }).waitFor();
  const key = (await luna.env()).AGENT_API_KEY ?? '';
  await access.getByRole('button', { name: 'Show the key of agents' }).waitFor();
  expect(await page.getByText(key).count()).toBe(0);
  await access.getByRole('button', { name: 'Show the key of agents' }).click();
  await access.getByText(key).waitFor();
  await expectAccessible(page);
  await access.getByRole('button', { name: 'New key' }).click();
  await page.getByRole('dialog').getByText('refused at once').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await access.getByText(key).waitFor({ state: 'detached' });
  const other = (await luna.env()).AGENT_API_KEY ?? '';
  expect(other).not.toBe(key);
  await access.getByText(other).waitFor();
  expect(complaints).toEqual([]);
});

test('an agent with a model answers as the answer comes, with the tools that it calls', async () => {
  const model = await scriptedModel(({ messages }) =>
    messages.at(-1)?.role === 'tool'
      ? { text: `It is ${messages.at(-1)?.content}.` }
      : { calls: [{ name: 'add', args: { a: 2, b: 3 } }] },
  );
  const env = `OPENAI_BASE_URL=${model.url}\nOPENAI_API_KEY=${modelKey}\n`;
  const luna = await lunaWith({ agent_presets: { adder: { tool_config: { add: { enabled: true } } } } }, env);
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Agents', exact: true }).click();
  await page.getByText('Agents need a model').waitFor();
  await put(luna.home, '.env', `${await envText(luna)}\nLUNA_DEFAULT_LLM=scripted\n`);
  await page.getByText('Agents need a model').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Try adder' }).click();
  await page.keyboard.type('What is 2 + 3?');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.getByRole('region', { name: 'Answer' }).getByText('It is 5.').waitFor();
  await page.getByRole('list', { name: 'Steps' }).getByText('"a": 2').waitFor();
  await page.getByRole('link', { name: 'Open the run' }).click();
  await page.getByText('2 answers of a model, 1 call of tools').waitFor();
  await page.getByRole('heading', { name: 'Model scripted' }).first().waitFor();
  await expectAccessible(page);
  expect(complaints).toEqual([]);
});

test('a file of the home that does not load says so, and is there once it does', async () => {
  const luna = await lunaWith();
  const { page } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Agents', exact: true }).click();
  await page.getByText('simple_agent', { exact: true }).first().waitFor();
  await put(luna.home, 'agents/echo.js', 'export default {');
  await page.getByText('agents/echo.js · 0').waitFor();
  await put(
    luna.home,
    'agents/echo.js',
    "export default { name: 'echo', description: 'Says it back.', run: async (turn) => { turn.say('back'); return {}; } };\n",
  );
  await page.getByText('Says it back.').waitFor();
  await expectAccessible(page);
});

async function envText(luna: { env(): Promise<NodeJS.Dict<string>> }): Promise<string> {
  return Object.entries(await luna.env())
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}
