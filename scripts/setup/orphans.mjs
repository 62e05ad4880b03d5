import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const compiled = /\.(?:js|js\.map|d\.ts|d\.ts\.map)$/;

/**
 * Removes compiled files whose source is gone; the compiler leaves them, and they would be packed.
 * @param {string} src
 * @param {string} dist
 */
export function removeOrphans(src, dist) {
  for (const entry of readdirSync(dist, { withFileTypes: true })) {
    const path = join(dist, entry.name);
    if (entry.isDirectory()) {
      if (existsSync(join(src, entry.name))) removeOrphans(join(src, entry.name), path);
      else rmSync(path, { recursive: true });
    } else if (compiled.test(entry.name) && !existsSync(join(src, entry.name.replace(compiled, '.ts')))) {
      rmSync(path);
    }
  }
}
