import type { ConfigStore, ExtensionConfig } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { readManifest } from '../sources/index.ts';
import { enterExtension, entryOf, restoreEntry } from './extension-entry.ts';
import type { ExtensionSwitch, Journal } from './switch.ts';

/** How an extension is after its files changed: what its source says, or that none runs. */
export interface LoadedState {
  readonly status: 'ready' | 'broken' | 'absent';
  readonly reason?: string | undefined;
}

export interface ExchangeOptions {
  readonly config: ConfigStore;
  readonly switch: ExtensionSwitch;
  /** Does something while nothing is started or stopped, and no file is looked at. */
  readonly exclusively: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** How the extension is now. */
  readonly state?: (name: string) => LoadedState;
  /** Has the extension loaded as its files are now, and says how that went. Left out: nobody runs it. */
  readonly load?: (name: string) => Promise<LoadedState>;
  /** The keys that are set in `.env`. */
  readonly secrets: () => Promise<readonly string[]>;
}

export type Wanted = Pick<Journal, 'kind' | 'name' | 'queue' | 'operation'> & {
  /** Of what comes. Left out for what goes. */
  readonly from?: Pick<ExtensionConfig, 'source' | 'digest'>;
};

/**
 * Exchanges an extension in a Luna that runs: files, configuration and what is loaded change together, or not at all.
 * A version that does not load is taken back.
 */
export class ExtensionExchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /**
   * Does it, and calls `onDone` at the moment from which on it counts. Returns what a person has yet to do. Throws
   * why it was taken back.
   */
  async make(wanted: Wanted, onDone: () => Promise<void>): Promise<string | undefined> {
    const { config, exclusively, load, state } = this.#options;
    const { kind, name, from } = wanted;
    const entry = entryOf(config.config, name);
    const before = state?.(name);
    const journal = await exclusively(async () => {
      const { queue, operation } = wanted;
      const begun = await this.#options.switch.begin({
        kind,
        name,
        ...(queue !== undefined && { queue }),
        ...(operation !== undefined && { operation }),
        ...(entry && { entry }),
      });
      try {
        if (kind === 'take') await restoreEntry(config, name);
        else await enterExtension(config, name, this.#options.switch.placeOf(name), from ?? {});
        return begun;
      } catch (thrown) {
        await this.#restore(begun);
        throw thrown;
      }
    });
    let note: string | undefined;
    try {
      const after = await load?.(name);
      note = kind === 'take' ? undefined : await this.#judge(name, before, after);
      await onDone();
    } catch (thrown) {
      await exclusively(() => this.#restore(journal));
      await load?.(name);
      throw thrown;
    }
    await this.#options.switch.finish(journal);
    return note;
  }

  /** Takes back, or finishes, what an end in the middle left. Nothing runs yet. */
  async recover(isDone: (journal: Journal) => boolean): Promise<Journal | undefined> {
    const journal = await this.#options.switch.unfinished();
    if (!journal) return undefined;
    if (journal.isDone || isDone(journal)) await this.#options.switch.finish(journal);
    else await this.#restore(journal);
    return journal;
  }

  async #restore(journal: Journal): Promise<void> {
    const { config } = this.#options;
    // First the configuration: a journal that is still there has it tried again.
    if (!config.state.error) await restoreEntry(config, journal.name, journal.entry);
    await this.#options.switch.undo(journal);
  }

  /** Throws where the new version is worse than the one before. */
  async #judge(name: string, before?: LoadedState, after?: LoadedState): Promise<string | undefined> {
    if (after?.status !== 'broken') return undefined;
    const reason = after.reason ?? 'it does not say why';
    const { required_secrets } = await readManifest(this.#options.switch.placeOf(name));
    const secrets = await this.#options.secrets();
    const missing = required_secrets.filter((key) => !secrets.includes(key));
    if (missing.length > 0) return `It does not load yet: ${reason} Set ${missing.join(', ')} in .env.`;
    if (before?.status === 'broken') return `It does not load, and did not before: ${reason}`;
    throw new LunaError('extension_invalid', `It does not load, so that it was taken back: ${reason}`);
  }
}
