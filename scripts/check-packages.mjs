// Checks the packages as they would be published: packs them, lints the tarballs, installs them in an empty folder, and
// there imports, type-checks and starts what they offer. A step of `npm test`; alone: npm test -- packages.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from './packed/check.mjs';
import { checkTypes, importEverything, installPacked, showHelp } from './packed/consumer.mjs';
import { hasTypes, lintPackage, lintTypes, packAll } from './packed/pack.mjs';
import { sum } from './steps/count.mjs';

/** @returns {Promise<import('./steps/count.mjs').Count>} */
export async function checkPackages() {
  const temporary = mkdtempSync(join(tmpdir(), 'luna-packages-'));
  try {
    const packages = await packAll(join(temporary, 'tarballs'));
    const consumer = join(temporary, 'consumer');
    const [installed, ...linted] = await Promise.all([
      check('install the tarballs in an empty folder', () => installPacked(consumer, packages)),
      ...packages.map((packed) => check(`publint ${packed.manifest.name}`, () => lintPackage(packed))),
      ...packages.filter(hasTypes).map((packed) => check(`attw ${packed.manifest.name}`, () => lintTypes(packed))),
    ]);
    if (installed.failed) return sum([installed, ...linted]);
    const commands = packages.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {}));
    const used = await Promise.all([
      check('import every subpath, classes are the same everywhere', () => importEverything(consumer, packages)),
      check('types of every subpath', () => checkTypes(consumer, packages)),
      ...commands.map((command) => check(`${command} --help`, () => showHelp(consumer, command))),
    ]);
    return sum([installed, ...linted, ...used]);
  } finally {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}
