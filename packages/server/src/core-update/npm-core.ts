import { access, constants, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { LunaError } from '@luna/core/errors';
import { registryEnvironment } from '@luna/core/supervisor';
import { runCommand } from '@luna/core/updates';
import { z } from 'zod';
import { pieceOf } from './pieces.ts';
import { type CoreChange, type CoreSource, type StagedCore, type StepContext, stepLimitMs } from './staging.ts';

const manifestSchema = z.looseObject({
  version: z.string().optional(),
  workspaces: z.unknown().optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).optional(),
  overrides: z.record(z.string(), z.unknown()).optional(),
});
type Manifest = z.infer<typeof manifestSchema>;

const versionPattern = /^[A-Za-z0-9][A-Za-z0-9.+-]*$/;
/** What npm changes. The last one it only reads. */
const changed = ['node_modules', 'package.json', 'package-lock.json'];
const copied = [...changed, '.npmrc'];

/** A folder whose package.json depends on `@luna/server`. */
export class NpmCore implements CoreSource {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async inspect(version: string | undefined, context: StepContext): Promise<CoreChange> {
    assertChangeable(await readManifest(this.#root));
    const present = await installedVersion(this.#root);
    const next = await this.#released(version ?? 'latest', context);
    return { present, next, exact: next, isSame: present === next, changes: [] };
  }

  async stage(version: string | undefined, staging: string, context: StepContext): Promise<StagedCore> {
    const to = await this.#released(version ?? 'latest', context);
    const manifest = await readManifest(this.#root);
    assertChangeable(manifest);
    context.onLine('Copying the present installation.');
    for (const name of copied) {
      // A copy costs nothing where the file system can share it.
      const options = { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE };
      await cp(join(this.#root, name), join(staging, name), options).catch((thrown: NodeJS.ErrnoException) => {
        if (thrown.code !== 'ENOENT') throw thrown;
      });
    }
    await writeFile(join(staging, 'package.json'), `${JSON.stringify(withLuna(manifest, to), null, 2)}\n`);
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    context.onLine(`npm ${args.join(' ')}`);
    await npm(args, staging, context);
    await assertComplete(staging, this.#root, to);
    const pieces = await Promise.all(changed.map((name) => pieceOf(join(staging, name), join(this.#root, name))));
    return { to, pieces: pieces.filter(({ inode }) => inode !== '') };
  }

  /** The exact version behind a version or a tag. */
  async #released(version: string, context: StepContext): Promise<string> {
    if (!versionPattern.test(version))
      throw new LunaError('invalid_input', `"${version}" is no version of a package. Use one such as 1.2.3, or a tag.`);
    let answer = '';
    await npm(['view', `@luna/server@${version}`, 'version', '--json', '--loglevel=error'], this.#root, {
      ...context,
      onOutput: async (output) => {
        answer = await text(output);
      },
    });
    const found = z.string().safeParse(answer.trim() === '' ? undefined : JSON.parse(answer));
    if (!found.success) throw new LunaError('not_found', `The npm registry has no @luna/server@${version}.`);
    return found.data;
  }
}

type NpmContext = StepContext & Pick<Parameters<typeof runCommand>[0], 'onOutput'>;

async function npm(args: readonly string[], cwd: string, { onLine, signal, owner, onOutput }: NpmContext) {
  const env = registryEnvironment();
  await runCommand({
    command: 'npm',
    args,
    cwd,
    env,
    owner,
    signal,
    limitMs: stepLimitMs,
    onLine,
    ...(onOutput && { onOutput }),
  });
}

async function readManifest(folder: string): Promise<Manifest> {
  return manifestSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
}

async function installedVersion(root: string): Promise<string> {
  const { version } = await readManifest(join(root, 'node_modules', '@luna', 'server'));
  return version ?? 'unknown';
}

/** Other places would be looked for beside the copy, where they are not. */
function assertChangeable({ workspaces, dependencies, devDependencies }: Manifest): void {
  const local = Object.entries({ ...devDependencies, ...dependencies }).find(
    ([name, spec]) => !isLuna(name) && /^(?:file:|link:)(?!\/)|^\.{1,2}\//.test(spec),
  );
  if (workspaces !== undefined || local)
    throw new LunaError(
      'conflict',
      `package.json ${local ? `takes ${local[0]} from ${local[1]}` : 'has workspaces'}, so that Luna cannot be updated beside it. Run "npm install @luna/server@latest @luna/core@latest" there while Luna is stopped.`,
    );
}

/** The package.json with all packages of Luna in one version. */
function withLuna(manifest: Manifest, version: string): Manifest {
  const updated = (specs: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, isLuna(name) ? version : spec]));
  const { devDependencies, overrides } = manifest;
  const pinned = (spec: unknown) => (typeof spec === 'string' && spec.startsWith('$') ? spec : version);
  const others = Object.entries(overrides ?? {}).map(([name, spec]) => [name, isLuna(name) ? pinned(spec) : spec]);
  return {
    ...manifest,
    dependencies: updated(manifest.dependencies),
    ...(devDependencies && { devDependencies: updated(devDependencies) }),
    ...(overrides && { overrides: Object.fromEntries(others) }),
  };
}

function isLuna(name: string): boolean {
  return name.startsWith('@luna/');
}

async function assertComplete(staging: string, root: string, version: string): Promise<void> {
  const got = await installedVersion(staging);
  if (got !== version) throw new LunaError('process_failed', `npm installed Luna ${got} in place of ${version}.`);
  // Its binary comes by an install script, which is off; where it is not the one of before, nothing could be started.
  const node = join('node_modules', 'node', 'bin', 'node');
  const [before, after] = await Promise.all([root, staging].map((folder) => isThere(join(folder, node))));
  if (before && !after)
    throw new LunaError(
      'conflict',
      'The update brings another Node, which has to be installed with its script. Stop Luna, and run "npm update" in its folder.',
    );
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
