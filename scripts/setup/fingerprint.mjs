import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const skippedFolders = new Set(['dist', 'node_modules', 'test']);
/** Tests are not built; the last two are written by the UI's build itself. */
const skippedFiles = /\.test\.ts$|^auto-imports\.d\.ts$|^components\.d\.ts$/;

/**
 * The files that a build reads, below a folder or the one file itself, in a stable order. Nothing for a path that does
 * not exist.
 * @param {string} path
 * @returns {string[]}
 */
export function inputFiles(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : inputFiles(join(path, entry.name));
      return entry.isFile() && !skippedFiles.test(entry.name) ? [join(path, entry.name)] : [];
    });
}

/**
 * One short text that changes when a file below one of the paths changes, comes or goes. Times of change do not count,
 * so switching git branches back and forth leaves it alone.
 * @param {string} folder
 * @param {string[]} paths relative to the folder
 * @returns {string}
 */
export function fingerprint(folder, paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of inputFiles(join(folder, path))) {
      const content = readFileSync(file);
      hash.update(`${file.slice(folder.length)}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}

/**
 * Whether a stamp file holds this text.
 * @param {string} file
 * @param {string} text
 */
export function isStamped(file, text) {
  return existsSync(file) && readFileSync(file, 'utf8') === text;
}

/**
 * Writes a stamp file and the folders above it.
 * @param {string} file
 * @param {string} text
 */
export function writeStamp(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
