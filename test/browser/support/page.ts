import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { expect, inject, onTestFinished } from 'vitest';

/** A page in the real browser, with nothing of other tests in its profile, that notes what must not happen. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts and of the content policy, and requests that left for elsewhere. */
  readonly complaints: string[];
}

/** For what never comes; a busy machine takes its time, in milliseconds. */
const patienceMs = 30_000;

export async function openBrowser(
  origin: string,
  options: { colorScheme?: 'light' | 'dark' } = {},
): Promise<WatchedPage> {
  const browser = await chromium.connect(inject('chromium'));
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:'))
      complaints.push(`request to ${request.url()}`);
  });
  return { page, complaints };
}

/** Looks for barriers with axe on the page as it is now, once it stands still: what fades in has poor contrast. */
export async function expectAccessible(page: Page): Promise<void> {
  await standStill(page);
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(await readFile(axe, 'utf8'));
  const found = await page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  );
  expect(found, page.url()).toEqual([]);
}

/** Lets what slides or fades in come to a stand, so that it is judged as it stays. */
export async function standStill(page: Page): Promise<void> {
  await page.evaluate(
    'Promise.all(document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity).map((animation) => animation.finished.catch(() => undefined)))',
  );
}

/** Looks for barriers in light and in dark, and whether all of it fits onto a phone. The page is left as it was. */
export async function expectGoodLooks(page: Page): Promise<void> {
  const size = page.viewportSize();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate('document.documentElement.scrollWidth'), page.url()).toBeLessThanOrEqual(390);
  if (process.env.LUNA_SCREENSHOTS) {
    const name = `${new URL(page.url()).pathname.replaceAll('/', '_')}-${Date.now()}`;
    await page.screenshot({ path: join(process.env.LUNA_SCREENSHOTS, `${name}-narrow.png`) });
    if (size) await page.setViewportSize(size);
    await page.screenshot({ path: join(process.env.LUNA_SCREENSHOTS, `${name}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  if (size) await page.setViewportSize(size);
}
