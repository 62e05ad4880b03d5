import type { ConfigState, ConfigStore, EnvFile, HomePaths } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import type { ExternalServices } from '../services/index.ts';
import { type SourceKind, watchFolders } from '../sources/index.ts';
import type { ToolRegistry } from '../tools/index.ts';
import { syncConfig } from './config-sync.ts';
import type { ExtensionServices } from './extension-services/index.ts';
import { syncExternalServices, wantedServices } from './external-service-changes.ts';
import type { Hubs } from './hubs.ts';
import { MisnamedFolders } from './misnamed-folders.ts';
import type { OwnTools } from './own-tools.ts';
import type { PinnedTools } from './pinned-tools.ts';
import type { Reconciler } from './reconcile.ts';
import type { LunaEvent } from './views.ts';

/** For so long a change waits for the sources that it starts; what takes longer starts behind it. In milliseconds. */
export const startLimitMs = 5_000;

export interface ChangesOptions {
  readonly version: string;
  readonly paths: HomePaths;
  readonly config: ConfigStore;
  readonly env: EnvFile;
  readonly kinds: readonly SourceKind[];
  readonly registry: ToolRegistry;
  readonly reconciler: Reconciler;
  readonly hubs: Hubs;
  readonly ownTools: OwnTools;
  readonly pinnedTools: PinnedTools;
  readonly services: ExtensionServices;
  readonly externalServices: ExternalServices;
  /** Reads the values of `.env` anew, so that they are covered. */
  readonly secrets: () => Promise<unknown>;
  readonly onEvent: (event: LunaEvent) => void;
  readonly onLog: (from: string, line: string) => void;
}

/**
 * Changes of what a Luna should run, whoever made them: one is done after another, and the last one sees the last
 * configuration. Until {@link begin} nothing is started.
 */
export class Changes {
  readonly #options: ChangesOptions;
  readonly #misnamed: MisnamedFolders;
  #watchers: readonly { close(): Promise<void> }[] = [];
  #work: Promise<void> = Promise.resolve();
  /** Whether what the configuration asks for is kept running. */
  #isUp = false;
  #isOver = false;

  constructor(options: ChangesOptions) {
    this.#options = options;
    this.#misnamed = new MisnamedFolders((line) => options.onLog('luna', line));
  }

  /** Whether {@link stop} was called: nothing more is started. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on what the configuration asks for is kept running. */
  begin(): void {
    this.#isUp = true;
  }

  /** Nothing more is started. */
  stop(): void {
    this.#isOver = true;
  }

  /** Watches the folders of all kinds of source. */
  async watch(): Promise<void> {
    this.#watchers = await Promise.all(this.#options.kinds.flatMap((kind) => this.#watch(kind)));
  }

  async unwatch(): Promise<void> {
    await Promise.all(this.#watchers.map((watcher) => watcher.close()));
  }

  /** Waits until all changes so far are done. */
  async idle(): Promise<void> {
    await this.#work;
  }

  /** As {@link idle}; and sources that they started have had their first attempt, or the limit is over. */
  async settled(limitMs: number): Promise<void> {
    await this.#work;
    await this.#options.reconciler.settled(limitMs);
  }

  configChanged(state: ConfigState): void {
    const { error } = state;
    if (error) this.#options.onLog('config', error.message);
    this.#options.onEvent({ type: 'config.changed', valid: !error, ...(error && { error: error.message }) });
    // A hub that was added by hand has no key yet; a key that was changed by hand is not mirrored yet.
    void this.reconcile(error ? undefined : () => this.sync());
  }

  keysChanged(keys: ReadonlySet<string>): void {
    this.#work = this.#work.then(async () => {
      await this.#options.secrets();
      await this.#options.reconciler.keysChanged(keys);
      if (this.#isUp) await this.#applyServices();
      this.#options.onEvent({ type: 'keys.changed' });
    });
  }

  /** Takes over what changed in an entry of the folder of this kind, as if the watcher had told it. */
  entryChanged(kind: string, entry: string): Promise<void> {
    return this.#entryChanged(this.#kindOf(kind), entry);
  }

  /** One change after another, whoever caused it; the last one sees the last configuration. */
  reconcile(before?: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      // What changes before that is taken over when the start comes to it.
      if (this.#isOver || !this.#isUp) return;
      try {
        await before?.();
      } catch (thrown) {
        this.#options.onLog('config', String(thrown));
      }
      await this.applySurfaces();
      await this.applySources();
    });
    return this.#work;
  }

  /** Between two changes: nothing is started or stopped meanwhile. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#work.then(work);
    this.#work = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Completes the configuration by what is there. Only within {@link exclusively}. */
  async sync(): Promise<void> {
    const { version, paths, config, env, registry, externalServices } = this.#options;
    const toolsOf = (extension: string) =>
      [...registry.tools().values()].filter(({ source }) => source.id === extension);
    await syncConfig(config, env, paths, { version, toolsOf });
    await syncExternalServices(config, externalServices);
  }

  /** Makes the hubs those that the configuration asks for. Only within {@link exclusively}. */
  async applySurfaces(): Promise<void> {
    const { config, secrets, ownTools, hubs, pinnedTools } = this.#options;
    await secrets();
    ownTools.offer();
    await hubs.apply(config.config);
    pinnedTools.forgetOthers(Object.keys(config.config.remote_mcp_servers));
  }

  /** The same with sources, programs of extensions and external services. Only within {@link exclusively}. */
  async applySources(): Promise<void> {
    const { config, kinds, reconciler, externalServices, onEvent, onLog } = this.#options;
    await this.#misnamed.tell(kinds).catch((thrown: unknown) => onLog('luna', String(thrown)));
    await reconciler.apply(config.config);
    await this.#applyServices();
    externalServices.apply(wantedServices(config.config));
    onEvent({ type: 'hubs.changed' });
  }

  /** What goes wrong with one is no reason to leave anything else undone. */
  async #applyServices(): Promise<void> {
    const { services, onLog } = this.#options;
    await services.apply().catch((thrown: unknown) => onLog('services', String(thrown)));
  }

  #watch(kind: SourceKind): Promise<{ close(): Promise<void> }>[] {
    return kind.folder === undefined
      ? []
      : [watchFolders(kind.folder, (entry) => void this.#entryChanged(kind, entry))];
  }

  async #entryChanged(kind: SourceKind, entry: string): Promise<void> {
    const { reconciler } = this.#options;
    const known = reconciler.sourceOf(kind, entry);
    if (!this.#isUp) await this.#loadAlone(kind, entry);
    // An entry that came or went is a change of what should run; anything else is a change within what runs.
    await this.reconcile(() => this.sync());
    if (known) await reconciler.reload(known);
  }

  /** While Luna starts: one entry is loaded before all others. */
  #loadAlone(kind: SourceKind, entry: string): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#isOver || this.#isUp) return;
      const { config, reconciler, secrets } = this.#options;
      await secrets();
      await reconciler.apply(config.config, { kind, entry });
    });
    return this.#work;
  }

  #kindOf(name: string): SourceKind {
    const kind = this.#options.kinds.find((one) => one.name === name);
    if (!kind) throw new LunaError('internal', `There is no kind of source "${name}".`);
    return kind;
  }
}
