import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@luna/core/errors';
import type { CoreUpdate, CoreUpdateJournal } from './journal.ts';
import { putPiece, takePieceBack } from './pieces.ts';

/**
 * The part of an update of Luna itself for which no server may run: the launcher puts what was staged into its place,
 * and takes it back where the new Luna does not come up. Each step is in the journal before it is begun.
 */
export class CoreSwitch {
  readonly #journal: CoreUpdateJournal;

  constructor(journal: CoreUpdateJournal) {
    this.#journal = journal;
  }

  /**
   * Switches to what is staged. False where nothing is, or where that failed: then all is as it was, and the journal
   * says why.
   */
  async switch(): Promise<boolean> {
    const update = await this.#journal.read();
    if (update?.state !== 'staged') return false;
    try {
      await this.#journal.write({ ...update, state: 'switching' });
      if (update.git) await checkOut(update.root, update.git);
      for (const piece of update.pieces) await putPiece(piece);
      await this.#journal.write({ ...update, state: 'switched' });
      return true;
    } catch (thrown) {
      await this.takeBack(`It could not be put into its place: ${messageOf(thrown)}`);
      return false;
    }
  }

  /** The new Luna is well. */
  async confirm(): Promise<void> {
    const update = await this.#journal.read();
    if (update?.state === 'switched') await this.#journal.write({ ...update, state: 'confirmed' });
  }

  /** Makes everything as it was before the switch. May be repeated. */
  async takeBack(reason: string): Promise<void> {
    const update = await this.#journal.read();
    if (!update) return;
    const undone: CoreUpdate = { ...update, reason };
    await this.#journal.write({ ...undone, state: 'undoing' });
    for (const piece of update.pieces.toReversed()) await takePieceBack(piece);
    if (update.git) await goBack(update.root, update.git);
    await this.#journal.write({ ...undone, state: 'rolled_back' });
  }

  /**
   * What a launcher that ended in the middle left. True where the Luna that is in place now was switched to, and has not
   * shown yet that it comes up.
   */
  async recover(): Promise<boolean> {
    const update = await this.#journal.read();
    if (update?.state === 'switching' || update?.state === 'undoing')
      await this.takeBack(update.reason ?? 'Luna was ended in the middle of the switch.');
    return update?.state === 'switched';
  }
}

type GitStep = NonNullable<CoreUpdate['git']>;

/** Neither command writes over what somebody has changed or added meanwhile. */
async function checkOut(root: string, { commit, formerCommit, formerBranch }: GitStep): Promise<void> {
  // Loaded here: few launchers need it.
  const { assertClean, gitIn } = await import('./git.ts');
  const git = gitIn(root);
  await assertClean(git, root);
  const isNewer = await git('merge-base', '--is-ancestor', formerCommit, commit).then(
    () => true,
    () => false,
  );
  if (formerBranch !== undefined && isNewer) await git('merge', '--quiet', '--ff-only', commit);
  else await git('checkout', '--quiet', '--detach', commit);
}

/** Nothing in tracked files is lost: they were clean when it began. */
async function goBack(root: string, { commit, formerCommit, formerBranch }: GitStep): Promise<void> {
  const { gitIn } = await import('./git.ts');
  const git = gitIn(root);
  // Of a git that was killed with the launcher.
  await rm(join(root, await git('rev-parse', '--git-path', 'index.lock')), { force: true });
  const head = await git('rev-parse', 'HEAD');
  const changes = await git('status', '--porcelain', '--untracked-files=no');
  if (head === formerCommit && changes === '') return;
  if (head !== formerCommit && head !== commit) return;
  const branch = await git('branch', '--show-current');
  if (formerBranch !== undefined && branch !== formerBranch) await git('checkout', '--quiet', '--force', formerBranch);
  await git('reset', '--quiet', '--hard', formerCommit);
}
