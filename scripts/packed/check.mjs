import { performance } from 'node:perf_hooks';
import { oneTest } from '../steps/count.mjs';

/**
 * Runs one check, prints a line for it, and what it says when it fails.
 * @param {string} name
 * @param {() => Promise<{ ok: boolean, output: string }>} run
 * @returns {Promise<import('../steps/count.mjs').Count>}
 */
export async function check(name, run) {
  const started = performance.now();
  const { ok, output } = await run();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
  if (!ok) process.stdout.write(`${output.trim()}\n\n`);
  return oneTest(ok);
}
