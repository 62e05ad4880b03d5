import { chmodSync, existsSync, lstatSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { binFolder, root } from './root.mjs';

/**
 * Links the commands of workspace packages into node_modules/.bin and makes them executable. npm does both at install,
 * but skips a command whose file is not built yet.
 * @param {string[]} folders
 */
export function linkBins(folders) {
  for (const folder of folders) {
    /** @type {{ bin?: Record<string, string> }} */
    const { bin = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    for (const [name, file] of Object.entries(bin)) {
      const target = join(root, folder, file);
      if (!existsSync(target)) continue;
      if ((statSync(target).mode & 0o111) !== 0o111) chmodSync(target, 0o755);
      const link = join(binFolder, name);
      if (existsSync(link)) continue;
      if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
      symlinkSync(relative(binFolder, target), link);
    }
  }
}
