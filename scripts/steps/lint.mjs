import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtPackages } from '../setup/packages.mjs';
import { root } from '../setup/root.mjs';
import { run } from '../setup/run.mjs';
import { oneTest, sum } from './count.mjs';

/** Form and likely mistakes (biome), then the import laws of ARCHITECTURE.md (dependency-cruiser). */
export async function lint() {
  const form = await run('biome', ['check', '--error-on-warnings']);
  const folders = [...builtPackages.map(({ folder }) => `${folder}/src`), 'examples', 'bench', 'test'];
  const present = folders.filter((folder) => existsSync(join(root, folder)));
  const laws = await run('depcruise', [...present, '--output-type', 'err-long']);
  return sum([oneTest(form.ok), oneTest(laws.ok)]);
}
