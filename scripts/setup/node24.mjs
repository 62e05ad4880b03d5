import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetupError } from './root.mjs';

/** The Node that everything runs under; the npm package `node` brings it. */
export const nodeBinary = join(root, 'node_modules/node/bin/node');

/**
 * Refuses a Node that cannot even do the set-up.
 * @param {string} [version] like `20.11.1`
 */
export function assertSetupNode(version = process.versions.node) {
  if (majorOf(version) >= 20) return;
  throw new SetupError(
    `Luna needs Node 20 or newer to set itself up; this is Node ${version}. Install a newer Node (https://nodejs.org), then run the command again.`,
  );
}

/**
 * Makes sure that Node 24 was installed with the dependencies. Throws a {@link SetupError} that says what to do.
 * @param {{ start: boolean }} options `start`: also start it once, to see that it runs on this machine
 */
export function assertNode24({ start }) {
  if (!existsSync(nodeBinary)) {
    throw new SetupError(
      'Node 24 is missing from node_modules: the install script of the npm package "node" did not run, most likely because ignore-scripts is set. Run `npm rebuild node --ignore-scripts=false`, then run the command again.',
    );
  }
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/node/package.json'), 'utf8'));
  const said = start ? startedVersion() : version;
  if (majorOf(said) >= 24) return;
  throw new SetupError(
    `node_modules holds Node ${said}, Luna needs 24 or newer. Remove the folder node_modules, then run the command again.`,
  );
}

/** @returns {string} */
function startedVersion() {
  const { status, stdout, stderr, error } = spawnSync(nodeBinary, ['--version'], { encoding: 'utf8' });
  if (status === 0) return stdout.trim().replace(/^v/, '');
  throw new SetupError(
    `The Node 24 in node_modules does not run on this machine: ${error?.message ?? stderr.trim()}. It needs a system with glibc (Alpine has none), for example Debian.`,
  );
}

/** @param {string} version */
function majorOf(version) {
  return Number.parseInt(version, 10);
}
