/**
 * How many tests of a step did what, and which of those that passed did so only when they were tried again.
 * @typedef {{ passed: number, failed: number, skipped: number, secondTries: import('./second-tries.mjs').SecondTry[] }} Count
 */

/** @type {Count} */
export const nothing = { passed: 0, failed: 0, skipped: 0, secondTries: [] };

/**
 * A check that either holds or not counts as one test.
 * @param {boolean} ok
 * @returns {Count}
 */
export function oneTest(ok) {
  return { ...nothing, [ok ? 'passed' : 'failed']: 1 };
}

/**
 * @param {Count[]} counts
 * @returns {Count}
 */
export function sum(counts) {
  return counts.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failed: all.failed + one.failed,
      skipped: all.skipped + one.skipped,
      secondTries: [...all.secondTries, ...one.secondTries],
    }),
    nothing,
  );
}

/**
 * The closing line of a test run, for people and for programs.
 * @param {Count} count
 */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * What nobody is to overlook: the tests that passed only on a second try. Empty when there is none.
 * @param {Count} count
 */
export function secondTriesText({ secondTries }) {
  if (!secondTries.length) return '';
  const line = '!'.repeat(78);
  const tests = secondTries.map(
    ({ name, error }) => `!! passed only on a second try: ${name}\n!!     at first: ${error}\n`,
  );
  return `${line}\n${tests.join('')}${line}\n`;
}
