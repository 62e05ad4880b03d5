// npm run build [-- --force]: builds the packages that changed, or all of them from nothing.
import { ensureBuilt } from './setup/build.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { assertSetupNode } from './setup/node24.mjs';
import { runScript, SetupError } from './setup/root.mjs';

await runScript(async () => {
  const args = process.argv.slice(2);
  const unknown = args.find((arg) => arg !== '--force');
  if (unknown)
    throw new SetupError(`Unknown argument ${unknown}. The only one is --force: build everything from nothing.`);
  assertSetupNode();
  await ensureInstalled();
  await ensureBuilt({ force: args.includes('--force') });
});
