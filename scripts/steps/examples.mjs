import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/root.mjs';
import { run } from '../setup/run.mjs';
import { oneTest, sum } from './count.mjs';

/** Runs the `test` script of every example that has one; each is one test. */
export async function examples() {
  const counts = [];
  for (const name of readdirSync(join(root, 'examples')).sort()) {
    const folder = join(root, 'examples', name);
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest) || !JSON.parse(readFileSync(manifest, 'utf8')).scripts?.test) continue;
    process.stdout.write(`examples/${name}\n`);
    const { ok } = await run('npm', ['test', '--silent'], { cwd: folder });
    counts.push(oneTest(ok));
  }
  if (counts.length === 0) process.stdout.write('No example has a test script.\n');
  return sum(counts);
}
