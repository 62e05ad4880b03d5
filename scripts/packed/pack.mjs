import { mkdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { builtPackages } from '../setup/packages.mjs';
import { root, SetupError } from '../setup/root.mjs';
import { run } from '../setup/run.mjs';
import { importableSubpaths } from './subpaths.mjs';

/**
 * A package as `npm publish` would upload it.
 * @typedef {{ folder: string, manifest: import('./subpaths.mjs').Manifest, tarball: string }} Packed
 */

/**
 * Packs all published packages into a folder.
 * @param {string} into
 * @returns {Promise<Packed[]>}
 */
export async function packAll(into) {
  mkdirSync(into);
  const workspaces = builtPackages.flatMap(({ folder }) => ['--workspace', folder]);
  const { ok, output } = await run('npm', ['pack', '--silent', '--pack-destination', into, ...workspaces], {
    capture: true,
  });
  if (!ok) throw new SetupError(`npm pack failed:\n${output.trim()}`);
  return builtPackages.map(({ folder }) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
    return { folder, manifest, tarball: join(into, file) };
  });
}

/**
 * publint, with warnings as errors: does package.json fit the files that are packed?
 * @param {Packed} packed
 */
export async function lintPackage({ tarball }) {
  const content = await readFile(tarball);
  const bytes = content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true });
  return {
    ok: messages.every(({ type }) => type === 'suggestion'),
    output: messages.map((message) => `${message.type}: ${formatMessage(message, pkg, { color: false })}`).join('\n'),
  };
}

/**
 * Whether a package offers types at all; the UI offers static files, create-luna only a command.
 * @param {Packed} packed
 */
export function hasTypes({ manifest }) {
  return importableSubpaths(manifest).some(({ typed }) => typed);
}

/**
 * attw: do the types of every subpath resolve the way its code does, for the module systems that Luna supports (ESM)?
 * @param {Packed} packed
 */
export function lintTypes({ tarball }) {
  return run('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji'], {
    capture: true,
  });
}
