import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../setup/root.mjs';
import { run, withOurNode } from '../setup/run.mjs';
import { nothing, secondTriesText } from './count.mjs';
import { secondTriesFile } from './second-tries.mjs';

/** Hundreds of processes run the same code: where Node keeps it compiled. */
const compiled = { NODE_COMPILE_CACHE: join(tmpdir(), `luna-test-compile-cache-${process.getuid?.() ?? 0}`) };

/**
 * Runs one project of vitest.config.ts.
 * @param {string} project
 * @param {string[]} args more arguments of vitest, for example `-t` with a name
 * @param {NodeJS.ProcessEnv} [env] more variables for the tests
 * @returns {Promise<import('./count.mjs').Count>}
 */
export async function vitest(project, args, env = {}) {
  const report = join(root, `node_modules/.luna-build/vitest-${project}.json`);
  const secondTries = join(root, `node_modules/.luna-build/vitest-${project}-second-tries.json`);
  for (const file of [report, secondTries]) rmSync(file, { force: true });
  const reporters = ['default', 'json', join(import.meta.dirname, 'second-tries.mjs')];
  const { ok } = await run(
    'vitest',
    [
      ...['run', '--project', project, `--outputFile.json=${report}`],
      ...reporters.map((reporter) => `--reporter=${reporter}`),
      ...args,
    ],
    { env: withOurNode({ ...process.env, ...compiled, ...env, [secondTriesFile]: secondTries }) },
  );
  const count = countOf(readJson(report) ?? {}, ok, readJson(secondTries));
  process.stdout.write(secondTriesText(count));
  return count;
}

/** @param {string} file */
function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/**
 * What a report of vitest counts. A run that failed outside of any test (a file that does not load, an unhandled error)
 * counts as at least one failed test.
 * @param {{ numPassedTests?: number, numFailedTests?: number, numPendingTests?: number, numTodoTests?: number }} report
 * @param {boolean} ok whether vitest ended with exit code 0
 * @param {import('./second-tries.mjs').SecondTry[]} [secondTries]
 * @returns {import('./count.mjs').Count}
 */
export function countOf(report, ok, secondTries = []) {
  const failed = report.numFailedTests ?? 0;
  return {
    passed: report.numPassedTests ?? 0,
    failed: ok ? failed : Math.max(1, failed),
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
    secondTries,
  };
}

/**
 * How many tests a project has, without running them.
 * @param {string} project
 * @returns {Promise<import('./count.mjs').Count>} all of them as skipped, at least one
 */
export async function allSkipped(project) {
  const { output } = await run('vitest', ['list', '--project', project], { capture: true });
  return {
    ...nothing,
    skipped: Math.max(1, output.split('\n').filter((line) => line.startsWith(`[${project}]`)).length),
  };
}
