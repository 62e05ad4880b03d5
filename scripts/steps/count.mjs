/**
 * How many tests of a step did what.
 * @typedef {{ passed: number, failed: number, skipped: number }} Count
 */

/** @type {Count} */
export const nothing = { passed: 0, failed: 0, skipped: 0 };

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
