import { join } from 'node:path';
import { z } from 'zod';
import { type ConfigStore, type ExtensionConfig, writeFileDurably } from '../config/index.ts';
import { messageOf } from '../errors/index.ts';
import { readManifest } from '../sources/index.ts';
import { readIfThere } from './folders.ts';
import { parseSource } from './source.ts';
import type { Updates } from './updates.ts';
import { type PendingUpdateView, pendingUpdateView } from './views.ts';

const stateSchema = z.object({
  lookedAt: z.number().default(0),
  pending: z.record(z.string(), pendingUpdateView).default({}),
});

export interface AutoUpdatesOptions {
  readonly updates: Pick<
    Updates,
    'inspect' | 'additions' | 'formerDigest' | 'save' | 'apply' | 'idle' | 'current' | 'discard' | 'isBusy'
  >;
  readonly config: ConfigStore;
  /** The folder with a folder for each extension. */
  readonly extensions: string;
  /** Where it is kept when it was looked last, and what was found. */
  readonly file: string;
  /** What was found changed. */
  readonly onChange?: () => void;
  readonly onLog?: (line: string) => void;
}

const hourMs = 3_600_000;
/** So soon after a start nothing is looked for, in milliseconds: others have to do then. */
const settleMs = 1_000;

/**
 * Looks at times for newer versions of extensions that ask for that (`auto_update`), and has those applied which want
 * nothing beyond what a person agreed to. Any other waits for a person, and is told.
 */
export class AutoUpdates {
  readonly #options: AutoUpdatesOptions;
  #state: z.infer<typeof stateSchema> = { lookedAt: 0, pending: {} };
  #timer: NodeJS.Timeout | undefined;
  #hours: number | undefined;
  #looking: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(options: AutoUpdatesOptions) {
    this.#options = options;
  }

  /** Reads what was found earlier, and begins to look at times. */
  async start(): Promise<void> {
    const { file, config } = this.#options;
    try {
      this.#state = stateSchema.parse(JSON.parse((await readIfThere(file)) ?? '{}'));
    } catch {
      // It is looked for anew.
    }
    if (this.#closing.signal.aborted) return;
    this.#schedule();
    config.onChange(() => this.#schedule());
  }

  /** What waits for this extension, as it is installed now. */
  pendingOf(name: string): PendingUpdateView | undefined {
    const { pending } = this.#state;
    const found = Object.hasOwn(pending, name) ? pending[name] : undefined;
    return found && this.#entries().get(name)?.digest !== found.digest ? found : undefined;
  }

  /** Looks now; settles when what can be applied was. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#looking?.catch(() => undefined);
  }

  #schedule(): void {
    const { auto_update_hours: hours } = this.#options.config.config.luna;
    if (hours === this.#hours || this.#closing.signal.aborted) return;
    this.#hours = hours;
    clearTimeout(this.#timer);
    if (hours === 0) return;
    const dueMs = this.#state.lookedAt + hours * hourMs - Date.now();
    // A clock that was put back makes it no later than that.
    this.#wait(Math.min(Math.max(dueMs, settleMs), hours * hourMs));
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      this.look()
        .catch((thrown: unknown) => this.#tell(messageOf(thrown)))
        .finally(() => {
          if (!this.#closing.signal.aborted && this.#hours) this.#wait(this.#hours * hourMs);
        });
    }, ms).unref();
  }

  async #look(): Promise<void> {
    const { signal } = this.#closing;
    const before = this.#state.pending;
    const pending: Record<string, PendingUpdateView> = {};
    for (const [name, entry] of this.#entries()) {
      if (signal.aborted) return;
      try {
        if (!(await this.#wantsUpdates(name, entry))) continue;
        const found = await this.#update(name, entry.source ?? '', before[name]);
        if (found) pending[name] = found;
      } catch (thrown) {
        // It is looked for again the next time.
        this.#tell(`${name}: ${messageOf(thrown)}`);
        if (before[name]) pending[name] = before[name];
      }
    }
    if (signal.aborted) return;
    this.#state = { lookedAt: Date.now(), pending };
    await writeFileDurably(this.#options.file, JSON.stringify(this.#state, null, 2));
    this.#options.onChange?.();
  }

  async #wantsUpdates(name: string, entry: ExtensionConfig): Promise<boolean> {
    if (!entry.enabled || entry.source === undefined || !isRemote(entry.source)) return false;
    return entry.auto_update ?? (await readManifest(join(this.#options.extensions, name))).auto_update;
  }

  /** Takes the newest version where it may be. Returns it where it was not. */
  async #update(
    name: string,
    source: string,
    before: PendingUpdateView | undefined,
  ): Promise<PendingUpdateView | undefined> {
    const { updates } = this.#options;
    const shown = await updates.inspect(source, { name, signal: this.#closing.signal });
    const { digest, version, revision, refusals, tooNew } = shown;
    if (shown.installed === undefined || shown.installed.isSame) return undefined;
    const leave = (state: PendingUpdateView['state'], reason: string): PendingUpdateView => {
      const isKnown = before?.digest === digest && before.state === state;
      if (!isKnown) this.#tell(`A newer version of ${name} is not taken: ${reason}`);
      const foundAt = isKnown ? before.foundAt : Date.now();
      return { digest, state, reason, foundAt, ...(version && { version }), ...(revision && { revision }) };
    };
    if (refusals.length > 0) return leave('failed', refusals.join(' '));
    if ((await updates.formerDigest(name)) === digest)
      return leave('waits', `You went back from it. Take it with "luna ext update ${name}".`);
    const additions = await updates.additions(name, digest);
    if (additions.length > 0)
      return leave('waits', `It ${additions.join(', ')}. Look at it, and take it with "luna ext update ${name}".`);
    if (tooNew !== undefined) return leave('too_new', tooNew);
    // What failed once would fail again.
    if (before?.digest === digest && before.state === 'failed') return before;
    if (updates.isBusy || (await updates.current()).queue !== null)
      return leave('waits', 'Something else waits in the update queue.');
    await updates.save({ operations: [{ type: 'update', name, digest }] });
    await updates.apply();
    await updates.idle();
    const { queue, last } = await updates.current();
    if (last?.outcome === 'done') {
      this.#tell(`${name} was updated by itself${version === undefined ? '' : ` to ${version}`}.`);
      return undefined;
    }
    // Broken off by the end of Luna: the next start goes on with it.
    if (this.#closing.signal.aborted) return undefined;
    if (queue !== null) await updates.discard();
    return leave('failed', last?.reason ?? 'It was not applied.');
  }

  #entries(): Map<string, ExtensionConfig> {
    return new Map(Object.entries(this.#options.config.config.extensions));
  }

  #tell(line: string): void {
    this.#options.onLog?.(line);
  }
}

function isRemote(source: string): boolean {
  try {
    return parseSource(source).kind !== 'upload';
  } catch {
    // "local", or what a person wrote there.
    return false;
  }
}
