// npm run bench [-- options]: installs and builds what is missing or changed, then measures. --help shows the options.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './setup/build.mjs';
import { isStamped, writeStamp } from './setup/fingerprint.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { assertSetupNode, nodeBinary } from './setup/node24.mjs';
import { root, runScript, SetupError } from './setup/root.mjs';
import { ended, endLike, run, withOurNode } from './setup/run.mjs';

const bench = join(root, 'bench');

/** The peers and the tools of the benchmarks have a lock file of their own, so that only who measures installs them. */
async function ensureBenchInstalled() {
  const stamp = join(bench, 'node_modules/.bench-install');
  const hash = createHash('sha256')
    .update(readFileSync(join(bench, 'package-lock.json')))
    .digest('hex');
  if (isStamped(stamp, hash)) return;
  process.stdout.write('Installing the peers to measure against with npm ci.\n');
  const { ok } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: bench });
  if (!ok) {
    throw new SetupError(
      'npm ci in bench/ failed; its message is above. Check the network, then run the command again.',
    );
  }
  writeStamp(stamp, hash);
}

await runScript(async () => {
  const args = process.argv.slice(2);
  const build = !args.includes('--no-build');
  assertSetupNode();
  await ensureInstalled();
  await ensureBenchInstalled();
  if (build) await ensureBuilt();
  const child = spawn(nodeBinary, [join(bench, 'run.ts'), ...args.filter((arg) => arg !== '--no-build')], {
    cwd: root,
    stdio: 'inherit',
    env: withOurNode(),
    // A process group of its own: a Ctrl-C in the terminal reaches the bench through here, and once only.
    detached: true,
  });
  endLike(await ended(child));
});
