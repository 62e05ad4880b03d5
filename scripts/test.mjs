// npm test [-- step… [--all] [arguments of vitest]]: sets up what is missing, then runs the steps in order and stops at
// the first that fails; with --all it goes on.
import { performance } from 'node:perf_hooks';
import { ensureBuilt } from './setup/build.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { assertSetupNode } from './setup/node24.mjs';
import { Interrupted, runScript, SetupError } from './setup/root.mjs';
import { readArguments } from './steps/arguments.mjs';
import { browser } from './steps/browser.mjs';
import { oneTest, secondTriesText, sum, summaryLine } from './steps/count.mjs';
import { lint } from './steps/lint.mjs';
import { types } from './steps/types.mjs';
import { vitest } from './steps/vitest.mjs';

/** @typedef {import('./steps/count.mjs').Count} Count */

/** @type {{ name: string, run: (args: string[]) => Promise<Count> }[]} */
const steps = [
  { name: 'lint', run: lint },
  { name: 'build', run: build },
  { name: 'types', run: built(types) },
  { name: 'unit', run: built((args) => vitest('unit', args)) },
  { name: 'integration', run: built((args) => vitest('integration', args)) },
  { name: 'browser', run: built(browser) },
  { name: 'packages', run: built(async () => (await import('./check-packages.mjs')).checkPackages()) },
];

async function build() {
  await ensureBuilt();
  return oneTest(true);
}

/**
 * A step that needs the packages built.
 * @param {(args: string[]) => Promise<Count>} step
 * @returns {(args: string[]) => Promise<Count>}
 */
function built(step) {
  return async (args) => {
    await ensureBuilt();
    return step(args);
  };
}

/**
 * @param {(typeof steps)[number]} step
 * @param {string[]} args
 * @returns {Promise<{ name: string, count: Count, seconds: string }>}
 */
async function runStep({ name, run }, args) {
  process.stdout.write(`\n=== ${name} ===\n`);
  const started = performance.now();
  const count = await run(args).catch((error) => {
    if (error instanceof Interrupted) throw error;
    process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`);
    return oneTest(false);
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`=== ${name}: ${verdict(count)} in ${seconds} s\n`);
  return { name, count, seconds };
}

/** @param {Count} count */
function verdict({ passed, failed }) {
  if (failed) return 'FAILED';
  return passed ? 'ok' : 'DID NOT RUN';
}

await runScript(async () => {
  assertSetupNode();
  const { chosen, all, rest } = readArguments(
    process.argv.slice(2),
    steps.map(({ name }) => name),
  );
  await ensureInstalled();
  const results = [];
  for (const step of steps.filter(({ name }) => chosen.includes(name))) {
    const result = await runStep(step, rest);
    results.push(result);
    if (result.count.failed && !all) break;
  }
  process.stdout.write('\n');
  for (const { name, count, seconds } of results) {
    process.stdout.write(
      `${name.padEnd(12)} ${verdict(count).padEnd(11)} ${seconds.padStart(6)} s  ${summaryLine(count)}\n`,
    );
  }
  const left = chosen.slice(results.length);
  if (left.length)
    process.stdout.write(`Not run after the failure: ${left.join(', ')}. npm test -- --all runs them too.\n`);
  const total = sum(results.map(({ count }) => count));
  process.stdout.write(`${secondTriesText(total)}${summaryLine(total)}\n`);
  if (total.failed) process.exitCode = 1;
});
