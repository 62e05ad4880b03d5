// npm start [-- arguments of `luna start`]: installs and builds what is missing or changed, then starts Luna.
// package.json runs it with `exec`, so that the signals of npm reach it and not only the shell in between.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureBuilt } from './setup/build.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { assertSetupNode, nodeBinary } from './setup/node24.mjs';
import { root, runScript } from './setup/root.mjs';
import { ended, endLike, withOurNode } from './setup/run.mjs';

/** The person's own home if there is one, otherwise the example. */
function chooseHome() {
  if (process.env.LUNA_HOME) return resolve(process.env.LUNA_HOME);
  const own = join(root, 'home');
  return existsSync(own) ? own : join(root, 'examples/home');
}

await runScript(async () => {
  assertSetupNode();
  await ensureInstalled();
  await ensureBuilt();
  const luna = join(root, 'packages/server/dist/cli/main.js');
  const child = spawn(nodeBinary, [luna, 'start', '--home', chooseHome(), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: withOurNode(),
    // A process group of its own: a Ctrl-C in the terminal reaches Luna through here, and not a second time directly.
    detached: true,
  });
  endLike(await ended(child));
});
