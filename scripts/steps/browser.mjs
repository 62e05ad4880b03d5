import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { nothing } from './count.mjs';
import { allSkipped, vitest } from './vitest.mjs';

const commands = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * The Chromium to test with: the file that LUNA_CHROMIUM names, otherwise the first of its usual commands on PATH.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function findChromium(env) {
  if (env.LUNA_CHROMIUM) return isExecutable(env.LUNA_CHROMIUM) ? env.LUNA_CHROMIUM : undefined;
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The tests in a real browser. Without one they are skipped, loudly; under `CI=true` that is a failure.
 * @param {string[]} args more arguments of vitest
 * @returns {Promise<import('./count.mjs').Count>}
 */
export async function browser(args) {
  const chromium = findChromium(process.env);
  if (chromium) return vitest('browser', args, { LUNA_CHROMIUM: chromium });
  const where = process.env.LUNA_CHROMIUM
    ? `LUNA_CHROMIUM=${process.env.LUNA_CHROMIUM} is not a program that can be started.`
    : `There is no ${commands.join(', ')} on PATH.`;
  const line = '!'.repeat(78);
  process.stdout.write(
    [
      line,
      '!! THE BROWSER TESTS DID NOT RUN: Chromium is missing.',
      `!! ${where}`,
      '!! Install it:  apt-get install -y chromium',
      '!! or name one: LUNA_CHROMIUM=/path/to/chromium npm test',
      line,
      '',
    ].join('\n'),
  );
  return process.env.CI === 'true' ? { ...nothing, failed: 1 } : allSkipped('browser');
}
