import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isStamped, writeStamp } from './fingerprint.mjs';
import { assertNode24 } from './node24.mjs';
import { root, SetupError } from './root.mjs';
import { run, withoutOurNode } from './run.mjs';

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, extraneous?: boolean }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} Lock
 */

/**
 * Whether what npm says it installed is what the lock file asks for. Optional packages may be missing: they are for
 * other systems.
 * @param {Lock} wanted package-lock.json
 * @param {Lock} installed node_modules/.package-lock.json
 * @returns {boolean}
 */
export function matchesLock(wanted, installed) {
  return Object.entries(wanted.packages ?? {}).every(([path, want]) => {
    if (path === '' || want.extraneous) return true;
    const have = installed.packages?.[path];
    if (!have) return want.optional === true;
    return have.version === want.version && have.integrity === want.integrity;
  });
}

/**
 * Installs the dependencies with `npm ci` when they are missing or not those of package-lock.json, and makes sure that
 * Node 24 is among them. Throws a {@link SetupError} that says what to do.
 */
export async function ensureInstalled() {
  const stamp = join(root, 'node_modules/.luna-install');
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const lockHash = createHash('sha256').update(lockText).digest('hex');
  if (isStamped(stamp, lockHash)) return assertNode24({ start: false });

  if (!isInstalledByHand(lockText)) {
    process.stdout.write(
      'Installing the dependencies with npm ci: about 650 MB on disk, usually half a minute to three minutes.\n',
    );
    const { ok } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { env: withoutOurNode() });
    if (!ok) {
      throw new SetupError(
        'npm ci failed; its message is above. Check the network and the free disk space, then run the command again.',
      );
    }
  }
  assertNode24({ start: true });
  writeStamp(stamp, lockHash);
}

/**
 * Whether somebody ran `npm install` already.
 * @param {string} lockText
 */
function isInstalledByHand(lockText) {
  const installed = join(root, 'node_modules/.package-lock.json');
  return existsSync(installed) && matchesLock(JSON.parse(lockText), JSON.parse(readFileSync(installed, 'utf8')));
}
