import { chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the browser of this run takes connections. */
    chromium: string;
  }
}

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** One Chromium for the whole run; each test has a profile of its own in it. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const executablePath = process.env.LUNA_CHROMIUM;
  const server = await chromium.launchServer({
    ...(executablePath !== undefined && { executablePath }),
    headless: true,
    args: quiet,
  });
  provide('chromium', server.wsEndpoint());
  return () => server.close();
}
