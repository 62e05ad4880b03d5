import { access, constants, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LunaError } from '@luna/core/errors';
import { registryEnvironment } from '@luna/core/supervisor';
import { runCommand } from '@luna/core/updates';
import { z } from 'zod';
import { assertClean, type Git, gitIn } from './git.ts';
import { pieceOf } from './pieces.ts';
import { type CoreChange, type CoreSource, type StagedCore, type StepContext, stepLimitMs } from './staging.ts';

const refPattern = /^[A-Za-z0-9][\w./+@-]*$/;
const manifestSchema = z.looseObject({ version: z.string() });
const shownChanges = 20;

/** A checkout of the repository of Luna. */
export class GitCore implements CoreSource {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async inspect(version: string | undefined, context: StepContext): Promise<CoreChange> {
    const git = gitIn(this.#root, context);
    await assertClean(git, this.#root);
    const present = await git('rev-parse', 'HEAD');
    const commit = await fetched(git, version);
    const log = await git('log', `--max-count=${shownChanges}`, '--format=%s', `${present}..${commit}`);
    return {
      present: await versionAt(git, present),
      next: await versionAt(git, commit),
      exact: commit,
      presentRevision: present,
      isSame: commit === present,
      changes: log === '' ? [] : log.split('\n'),
    };
  }

  async stage(version: string | undefined, staging: string, context: StepContext): Promise<StagedCore> {
    const { onLine } = context;
    const git = gitIn(this.#root, context);
    await assertClean(git, this.#root);
    const formerCommit = await git('rev-parse', 'HEAD');
    const formerBranch = await git('branch', '--show-current');
    const commit = await fetched(git, version);
    const tree = join(staging, 'tree');
    onLine(`git worktree add ${commit.slice(0, 12)}`);
    await git('worktree', 'prune');
    await git('worktree', 'add', '--quiet', '--detach', tree, commit);
    await this.#takeOver(tree);
    onLine('npm run build');
    await build(tree, context);
    const folders = ['node_modules', ...(await builtFolders(tree))];
    return {
      to: await versionAt(git, commit),
      pieces: await Promise.all(folders.map((folder) => pieceOf(join(tree, folder), join(this.#root, folder)))),
      git: { commit, formerCommit, ...(formerBranch !== '' && { formerBranch }) },
    };
  }

  /** What the present checkout has installed and built need not be made anew, as far as it is the same. */
  async #takeOver(tree: string): Promise<void> {
    const locks = await Promise.all(
      [this.#root, tree].map((folder) => readFile(join(folder, 'package-lock.json'), 'utf8').catch(() => '')),
    );
    if (locks[0] !== locks[1]) return;
    for (const folder of ['node_modules', ...(await builtFolders(this.#root))]) {
      if (!(await isThere(dirname(join(tree, folder))))) continue;
      const options = { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE };
      await cp(join(this.#root, folder), join(tree, folder), options);
    }
  }
}

/** Keeps what lies in the folder out of the sight of git. */
export async function hideFromGit(folder: string): Promise<void> {
  await writeFile(join(folder, '.gitignore'), '*\n');
}

/** Fetches a branch, a tag or a commit, or what the present branch follows. Returns the commit. */
async function fetched(git: Git, version: string | undefined): Promise<string> {
  if (version !== undefined && (!refPattern.test(version) || version.includes('..')))
    throw new LunaError('invalid_input', `"${version}" is no branch, tag or commit.`);
  const isCommit = version !== undefined && /^[0-9a-f]{40}$/.test(version);
  const isKnown =
    isCommit &&
    (await git('cat-file', '-e', `${version}^{commit}`).then(
      () => true,
      () => false,
    ));
  if (isKnown) return version;
  const branch = await git('branch', '--show-current');
  const setting = (name: string) => git('config', '--get', `branch.${branch}.${name}`).catch(() => '');
  const [remote, followed] = branch === '' ? ['', ''] : await Promise.all([setting('remote'), setting('merge')]);
  try {
    await git('fetch', '--quiet', '--no-recurse-submodules', remote || 'origin', version ?? (followed || 'HEAD'));
  } catch (thrown) {
    if (thrown instanceof LunaError && thrown.code !== 'process_failed') throw thrown;
    throw new LunaError('upstream_error', `${version ?? 'The newest Luna'} cannot be fetched: ${lastWords(thrown)}`, {
      cause: thrown,
    });
  }
  return git('rev-parse', '--verify', 'FETCH_HEAD^{commit}');
}

async function versionAt(git: Git, commit: string): Promise<string> {
  const text = await git('show', `${commit}:packages/server/package.json`).catch((thrown: unknown) => {
    throw new LunaError('invalid_input', `${commit.slice(0, 12)} is no Luna: it has no packages/server.`, {
      cause: thrown,
    });
  });
  return manifestSchema.parse(JSON.parse(text)).version;
}

async function build(tree: string, { onLine, signal, owner }: StepContext): Promise<void> {
  await runCommand({
    command: 'npm',
    args: ['run', 'build', '--silent'],
    cwd: tree,
    env: registryEnvironment(),
    owner,
    signal,
    limitMs: stepLimitMs,
    onLine,
  });
  if (!(await isThere(join(tree, 'packages', 'server', 'dist', 'cli', 'main.js'))))
    throw new LunaError('process_failed', '"npm run build" has made no server.');
}

async function builtFolders(root: string): Promise<string[]> {
  const packages = await readdir(join(root, 'packages')).catch(() => []);
  const folders = packages.map((name) => join('packages', name, 'dist'));
  const there = await Promise.all(folders.map((folder) => isThere(join(root, folder))));
  return folders.filter((_folder, index) => there[index]);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function lastWords(thrown: unknown): string {
  return String(thrown instanceof Error ? thrown.message : thrown)
    .replace(/^git .*?: /, '')
    .slice(0, 500);
}
