import { run } from '../setup/run.mjs';
import { oneTest, sum } from './count.mjs';

/** The types of what the build leaves out: tests, examples, benchmarks and scripts, and the UI with its templates. */
export async function types() {
  const tests = await run('tsc', ['-p', 'tsconfig.tests.json']);
  const ui = await run('vue-tsc', ['--noEmit', '-p', 'packages/ui/tsconfig.json']);
  return sum([oneTest(tests.ok), oneTest(ui.ok)]);
}
