import { expect, test } from 'vitest';
import { secondTriesText, sum, summaryLine } from './count.mjs';
import { countOf } from './vitest.mjs';

test('todo and skipped tests count as skipped', () => {
  const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 2 };
  expect(summaryLine(countOf(report, true))).toBe('3 passed, 0 failed, 3 skipped');
});

test('a run that failed outside of any test counts as failed', () => {
  expect(countOf({ numPassedTests: 3, numFailedTests: 0 }, false).failed).toBe(1);
  expect(countOf({}, false).failed).toBe(1);
  expect(countOf({ numFailedTests: 2 }, false).failed).toBe(2);
});

test('the summary adds the steps up', () => {
  const total = sum([countOf({ numPassedTests: 3 }, true), countOf({ numPassedTests: 1 }, false)]);
  expect(summaryLine(total)).toBe('4 passed, 1 failed, 0 skipped');
});

test('what passed only on a second try is named, in a step and in the sum of all', () => {
  const secondTry = { name: 'file.test.ts > comes in time', error: 'expected 1 to be 2' };
  const step = countOf({ numPassedTests: 3 }, true, [secondTry]);
  for (const count of [step, sum([countOf({ numPassedTests: 1 }, true), step])])
    expect(secondTriesText(count)).toContain('passed only on a second try: file.test.ts > comes in time');
  expect(step).toMatchObject({ passed: 3, failed: 0 });
  expect(secondTriesText(countOf({ numPassedTests: 3 }, true))).toBe('');
});
