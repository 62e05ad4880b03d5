import { expect, test } from 'vitest';
import { sum, summaryLine } from './count.mjs';
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
