import { writeFileSync } from 'node:fs';

/**
 * A test that failed, and passed when it was tried again.
 * @typedef {{ name: string, error: string }} SecondTry
 */

/** The variable that names the file for {@link SecondTries}. */
export const secondTriesFile = 'LUNA_SECOND_TRIES';

/** A reporter of vitest that writes down which tests passed only on a second try: its own reports do not say. */
// biome-ignore lint/style/noDefaultExport: vitest takes what the file of a reporter exports as its default
export default class SecondTries {
  /** @type {SecondTry[]} */
  #found = [];

  /** @param {import('vitest/node').TestCase} test */
  onTestCaseResult(test) {
    if (!test.diagnostic()?.flaky) return;
    const error = test.result().errors?.[0]?.message ?? '';
    const [firstLine = ''] = error.split('\n');
    this.#found.push({ name: `${test.module.relativeModuleId} > ${test.fullName}`, error: firstLine });
  }

  onTestRunEnd() {
    const file = process.env[secondTriesFile];
    if (file) writeFileSync(file, JSON.stringify(this.#found));
  }
}
