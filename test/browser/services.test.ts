import { expect, test } from 'vitest';
import { homeOf } from '../integration/support/homes.ts';
import { copyOfExampleHome, startLuna } from '../integration/support/luna-process.ts';
import { expectAccessible, openBrowser } from './support/page.ts';

const service = `#!/bin/sh
echo "here at $1"
exec node -e "require('node:http').createServer((q, a) => { console.log('asked ' + q.url); a.end('here') }).listen($1, '127.0.0.1')"
`;

test('a service is seen, its log read live, stopped, and started', async () => {
  const luna = await startLuna(
    await homeOf({
      'extensions/a/services/web/start.sh': service,
      'extensions/a/services/broken/service_config.json': '{',
    }),
  );
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('link', { name: 'Services', exact: true }).click();
  await page.getByText('has no start.sh').waitFor();
  await page.getByText('Running', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Log of a.web' }).click();
  const log = page.getByRole('log');
  await log.getByText(/here at 5\d\d\d/).waitFor();
  const token = (await luna.env()).SUPERVISOR_API_TOKEN;
  await fetch(`${luna.url}/api/a/knock`, { headers: { authorization: `Bearer ${token}` } });
  await log.getByText('asked /knock').waitFor();
  await expectAccessible(page);

  await page.getByRole('button', { name: 'Stop a.web' }).click();
  await page.getByText('Stopped', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Start a.web' }).click();
  await page.getByText('Running', { exact: true }).waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  expect(complaints).toEqual([]);
});

test('a person draws on the whiteboard, and what an agent draws appears', async () => {
  const luna = await startLuna(await copyOfExampleHome());
  const { page, complaints } = await openBrowser(luna.url);
  await page.goto(luna.signInLink);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await page.goto(`${luna.url}/ext/whiteboard`);
  await page.getByText('The board is empty').waitFor();
  expect(page.url()).toBe(`${luna.url}/ext/whiteboard/`);

  await page.mouse.move(300, 200);
  await page.mouse.down();
  await page.mouse.move(500, 300, { steps: 5 });
  await page.mouse.up();
  await page.getByText('1 on the board').waitFor();
  await luna.api('POST', 'tools/call', { name: 'whiteboard_write', args: { at: [10, 10], text: 'from an agent' } });
  await page.getByText('2 on the board').waitFor();
  expect(complaints).toEqual([]);
});
