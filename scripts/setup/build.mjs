import { existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { linkBins } from './bins.mjs';
import { fingerprint, isStamped, writeStamp } from './fingerprint.mjs';
import { removeOrphans } from './orphans.mjs';
import { builtPackages } from './packages.mjs';
import { root, SetupError } from './root.mjs';
import { run, withOurNode } from './run.mjs';

/** What every build depends on beside its own files. */
const sharedInputs = ['package-lock.json', 'tsconfig.base.json'];

/**
 * Builds the packages whose sources changed since their last build, in order, and links their commands. Prints a line
 * for each one built. Throws a {@link SetupError} after the compiler's output when one does not build.
 * @param {{ force?: boolean }} [options] `force`: build everything from nothing
 */
export async function ensureBuilt({ force = false } = {}) {
  for (const built of builtPackages) {
    const stamp = join(root, 'node_modules/.luna-build', basename(built.folder));
    const state = fingerprint(root, [built.folder, ...built.uses, ...sharedInputs]);
    const dist = join(root, built.folder, 'dist');
    if (!force && existsSync(dist) && isStamped(stamp, state)) continue;
    if (force) rmSync(dist, { recursive: true, force: true });
    await build(built);
    if (built.compiler === 'tsc') removeOrphans(join(root, built.folder, 'src'), dist);
    writeStamp(stamp, state);
  }
  linkBins(builtPackages.map((built) => built.folder));
}

/** @param {import('./packages.mjs').BuiltPackage} built */
async function build({ folder, compiler }) {
  process.stdout.write(`build ${folder} … `);
  const started = performance.now();
  const { ok, output } =
    compiler === 'tsc'
      ? await run('tsc', ['-b', join(folder, 'tsconfig.json'), '--pretty'], { capture: true })
      : await run('vite', ['build', '--logLevel', 'warn'], {
          capture: true,
          cwd: join(root, folder),
          env: withOurNode({ ...process.env, NODE_ENV: 'production' }),
        });
  if (!ok) {
    process.stdout.write('failed\n');
    throw new SetupError(`${output.trim()}\n\n${folder} does not build.`);
  }
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
