import { access, constants, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LunaError } from '@luna/core/errors';
import { z } from 'zod';

/** How the Luna that runs came onto this machine. */
export interface Installation {
  readonly kind: 'npm' | 'git';
  /** The folder whose package.json depends on Luna, or the checkout. */
  readonly root: string;
}

const manifest = z.looseObject({
  name: z.string().optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
});

/**
 * Finds out how the package `@luna/server` in this folder was installed. Throws `conflict`, with what to run instead, for
 * an installation that Luna does not change.
 */
export async function findInstallation(serverFolder: string): Promise<Installation> {
  const folder = await realpath(serverFolder);
  const found = (await npmInstallation(folder)) ?? (await gitInstallation(folder));
  if (!found)
    throw new LunaError(
      'conflict',
      `This Luna lies in ${folder}, which is neither an npm installation of a folder of yours nor a git checkout, so that it does not update itself. Install the new version as you installed this one, for example "npm install --global @luna/server@latest", and start Luna anew.`,
    );
  await access(found.root, constants.W_OK).catch((thrown: unknown) => {
    throw new LunaError(
      'conflict',
      `Luna may not write to ${found.root}, where it is installed. Have whoever owns that folder update it.`,
      { cause: thrown },
    );
  });
  return found;
}

async function npmInstallation(folder: string): Promise<Installation | undefined> {
  const modules = dirname(dirname(folder));
  const root = dirname(modules);
  // What npx keeps is npx's.
  if (basename(modules) !== 'node_modules' || root.split('/').includes('_npx')) return undefined;
  const found = await readManifest(root);
  return found?.dependencies['@luna/server'] === undefined ? undefined : { kind: 'npm', root };
}

async function gitInstallation(folder: string): Promise<Installation | undefined> {
  const root = dirname(dirname(folder));
  const isCheckout = await access(join(root, '.git')).then(
    () => true,
    () => false,
  );
  return isCheckout && (await readManifest(root))?.name === 'luna-monorepo' ? { kind: 'git', root } : undefined;
}

async function readManifest(folder: string): Promise<z.infer<typeof manifest> | undefined> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
  try {
    return text === undefined ? undefined : manifest.parse(JSON.parse(text));
  } catch {
    // A file that is no package.json describes no installation.
    return undefined;
  }
}
