import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LunaError, messageOf } from '@luna/core/errors';
import type { JudgeCoreUpdate, UpdateCore } from '@luna/core/updates';
import type { Lifecycle } from '../routes/lifecycle.ts';
import { version } from '../version.ts';
import { gitIn } from './git.ts';
import { GitCore, hideFromGit } from './git-core.ts';
import { findInstallation, type Installation } from './installation.ts';
import { type CoreUpdate, CoreUpdateJournal } from './journal.ts';
import { NpmCore } from './npm-core.ts';
import type { CoreSource } from './staging.ts';
import type { CoreChangeView } from './views.ts';

export interface CoreUpdaterOptions {
  readonly home: string;
  readonly lifecycle?: Lifecycle | undefined;
  /** See `ChildOptions.owner`. */
  readonly owner?: string | undefined;
  /** The folder of the package `@luna/server` that runs. Default: this one. */
  readonly serverFolder?: string;
}

/** The folder in which updates are made, beside what they take the place of: a rename is one step. */
const stagingName = '.luna-core-update';
/** How often it is looked whether the launcher has made up its mind, in milliseconds. */
const lookMs = 100;
const thisPackage = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Updates the Luna that runs this server: shows what would come, makes it beside the present one, and has the launcher
 * switch. The launcher takes it back where the new Luna does not come up.
 */
export class CoreUpdater {
  readonly #options: CoreUpdaterOptions;
  readonly #journal: CoreUpdateJournal;

  constructor(options: CoreUpdaterOptions) {
    this.#options = options;
    this.#journal = new CoreUpdateJournal(options.home);
  }

  /** What an update to a version would bring; without one, to the newest. Nothing of it is run. */
  async inspect(wanted: string | undefined, signal?: AbortSignal): Promise<CoreChangeView> {
    const installation = await this.#installation();
    const context = { onLine: () => undefined, signal, owner: this.#options.owner };
    const { changes, ...change } = await sourceOf(installation).inspect(wanted, context);
    return { ...installation, ...change, changes: [...changes] };
  }

  /** See `LunaOptions.judgeCoreUpdate`. */
  readonly judge: JudgeCoreUpdate = async ({ version: wanted }) => {
    await this.inspect(wanted);
  };

  /** See `LunaOptions.updateCore`. */
  readonly update: UpdateCore = async ({ version: wanted }, { queue, onLine, signal }) => {
    const before = await this.#journal.read();
    if (before?.queue === queue && before.state !== 'staged') return this.#outcome(before, signal);
    const installation = await this.#installation();
    const source = sourceOf(installation);
    const context = { onLine, signal, owner: this.#options.owner };
    const { isSame, present, next, exact } = await source.inspect(wanted, context);
    if (isSame) return onLine(`Luna is ${present} already.`);
    onLine(`Luna ${present} is to become ${next}.`);
    const staging = join(installation.root, stagingName);
    await this.#clear(installation, staging);
    await mkdir(staging, { recursive: true });
    try {
      if (installation.kind === 'git') await hideFromGit(staging);
      const { to, pieces, git } = await source.stage(exact, staging, context);
      signal.throwIfAborted();
      const update: CoreUpdate = {
        ...installation,
        staging,
        queue,
        from: present,
        to,
        pieces: [...pieces],
        ...(git && { git: { ...git } }),
        state: 'staged',
      };
      await this.#journal.write(update);
    } catch (thrown) {
      await this.#clear(installation, staging);
      throw thrown;
    }
    onLine(`Luna ends, and ${next} is started.`);
    this.#options.lifecycle?.end('update');
    await new Promise((_settle, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };

  /** Waits until the launcher knows whether the new Luna comes up. Throws why it was taken back. */
  async #outcome(found: CoreUpdate, signal: AbortSignal): Promise<void> {
    let update: CoreUpdate | undefined = found;
    while (update?.state === 'switched') {
      await sleep(lookMs, undefined, { signal });
      update = await this.#journal.read();
    }
    const isDone = update === undefined || update.state === 'confirmed';
    await this.#clear(found, found.staging).catch(() => undefined);
    await this.#journal.remove();
    if (isDone) return;
    throw new LunaError(
      'process_failed',
      `Luna ${found.to} was taken back, and ${version} runs again: ${update?.reason ?? 'it did not come up.'}`,
    );
  }

  async #installation(): Promise<Installation> {
    const installation = await findInstallation(this.#options.serverFolder ?? thisPackage);
    if (!this.#options.lifecycle?.canRestart)
      throw new LunaError(
        'conflict',
        'This Luna runs without its launcher ("luna serve"), so that nobody could switch to another version. Use "luna start".',
      );
    return installation;
  }

  async #clear({ kind, root }: Installation, staging: string): Promise<void> {
    await rm(staging, { recursive: true, force: true, maxRetries: 3 });
    if (kind === 'git')
      await gitIn(root)('worktree', 'prune').catch((thrown: unknown) => {
        throw new LunaError('conflict', `What an update left cannot be cleared: ${messageOf(thrown)}`);
      });
  }
}

function sourceOf({ kind, root }: Installation): CoreSource {
  return kind === 'npm' ? new NpmCore(root) : new GitCore(root);
}
