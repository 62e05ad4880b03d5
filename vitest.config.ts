import { defineConfig } from 'vitest/config';
import { LongFilesFirst } from './test/long-files-first.ts';

const exclude = ['**/node_modules/**', '**/dist/**', '**/.luna/**'];

/** Where whole processes depend on a machine that others load too, a delivery does not fail by one unlucky moment. What
 * passed only on its second try is told at the end (scripts/steps/vitest.mjs). */
const retry = process.env.CI === 'true' ? 1 : 0;

export default defineConfig({
  test: {
    sequence: { sequencer: LongFilesFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'examples/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude,
          // Some wait for processes and their restarts, which a busy machine slows down; others work meanwhile.
          maxWorkers: 3,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
          retry,
        },
      },
      {
        // Real processes: few at a time, and with time to start.
        test: {
          name: 'integration',
          include: ['test/{integration,conformance}/**/*.test.ts'],
          exclude,
          // Ends what hangs; a slow machine is far from it.
          testTimeout: 90_000,
          hookTimeout: 90_000,
          expect: { poll: { timeout: 30_000 } },
          maxWorkers: 3,
          retry,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
          globalSetup: ['test/browser/support/chromium.ts'],
          maxWorkers: 2,
          retry,
        },
      },
    ],
  },
});
