import type { MasterConfig } from '../config/index.ts';
import { messageOf } from '../errors/index.ts';
import { isReconnectable, isReloadable, type SourceKind, type UsedKey, type WantedSource } from '../sources/index.ts';
import type { ToolRegistry, ToolSource } from '../tools/index.ts';

export interface ReconcilerOptions {
  /** Where sources come from. Of two that want one id, the kind that stands first gets it. */
  readonly kinds: readonly SourceKind[];
  readonly registry: ToolRegistry;
  readonly onLog: (source: string, line: string) => void;
  /** After a source came, went or changed its health. */
  readonly onChange: () => void;
}

interface Running {
  readonly source: ToolSource;
  readonly kind: SourceKind;
  readonly wanted: WantedSource;
  readonly unwatch: () => void;
}

/**
 * Makes the sources that run be the ones that the configuration and the folders ask for, by changing only the
 * difference. A source whose settings did not change is left alone, process and connection and all.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #running = new Map<string, Running>();
  readonly #starting = new Set<Promise<void>>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /**
   * Starts, stops and replaces what differs; of one entry alone, where that is given. New sources start in the
   * background; see {@link settled}.
   */
  async apply(config: MasterConfig, only?: { readonly kind: SourceKind; readonly entry: string }): Promise<void> {
    const wanted = await this.#wanted(config);
    const isMeant = (kind: SourceKind, { entry }: WantedSource) =>
      !only || (kind === only.kind && entry === only.entry);
    const leaving = [...this.#running].filter(([id, running]) => {
      const now = wanted.get(id);
      const differs = now?.source.settings !== running.wanted.settings || now.kind !== running.kind;
      return differs && isMeant(running.kind, running.wanted);
    });
    await Promise.all(leaving.map(([id]) => this.#stop(id)));
    for (const { kind, source } of wanted.values())
      if (!this.#running.has(source.id) && isMeant(kind, source)) this.#start(kind, source);
  }

  /** The running source that is made from this entry of the kind's folder. */
  sourceOf(kind: SourceKind, entry: string): ToolSource | undefined {
    for (const running of this.#running.values()) {
      if (running.kind === kind && running.wanted.entry === entry) return running.source;
    }
    return undefined;
  }

  /** Takes over changed files of a source that can do so. */
  async reload(source: ToolSource): Promise<void> {
    if (this.#running.get(source.id)?.source === source && isReloadable(source)) await source.reload();
  }

  /** Lets those sources take over new values that use one of these environment keys, and leaves the others alone. */
  async keysChanged(changed: ReadonlySet<string>): Promise<void> {
    for (const { source, wanted } of [...this.#running.values()]) {
      const used = await this.#keysOf(wanted);
      if (!used.some(({ key }) => changed.has(key)) || this.#running.get(source.id)?.source !== source) continue;
      const taken = (isReconnectable(source) ? source.reconnect() : this.reload(source))
        .catch((thrown) => this.#options.onLog(source.id, messageOf(thrown)))
        .finally(() => this.#starting.delete(taken));
      this.#starting.add(taken);
    }
  }

  /** The environment keys that each source uses which should run, be it there or not. */
  async usedKeys(config: MasterConfig): Promise<{ source: string; kind: string; keys: readonly UsedKey[] }[]> {
    const wanted = [...(await this.#wanted(config)).values()];
    return Promise.all(
      wanted.map(async ({ kind, source }) => ({
        source: source.id,
        kind: kind.name,
        keys: await this.#keysOf(source),
      })),
    );
  }

  /** Waits until every source that was started has had its first attempt, or for the limit in milliseconds. */
  async settled(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((settle) => {
      timer = setTimeout(settle, limitMs);
    });
    await Promise.race([Promise.all(this.#starting), limit]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.#stop(id)));
    await Promise.all(this.#options.kinds.map((kind) => kind.close?.()));
  }

  async #wanted(config: MasterConfig): Promise<Map<string, { kind: SourceKind; source: WantedSource }>> {
    const wanted = new Map<string, { kind: SourceKind; source: WantedSource }>();
    for (const kind of this.#options.kinds) {
      for (const source of await kind.wanted(config)) {
        const first = wanted.get(source.id);
        if (!first) wanted.set(source.id, { kind, source });
        else this.#options.onLog(source.id, `Left out: the ${first.kind.name} of this name comes first. Rename one.`);
      }
    }
    return wanted;
  }

  async #keysOf(wanted: WantedSource): Promise<readonly UsedKey[]> {
    try {
      return (await wanted.keys?.()) ?? [];
    } catch {
      // What cannot be read is told by the source itself.
      return [];
    }
  }

  #start(kind: SourceKind, wanted: WantedSource): void {
    const source = wanted.make();
    this.#options.registry.add(source);
    const unwatch = source.onChange(this.#options.onChange);
    this.#running.set(wanted.id, { source, kind, wanted, unwatch });
    const started = source.start().finally(() => this.#starting.delete(started));
    this.#starting.add(started);
  }

  async #stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    this.#options.registry.remove(id);
    running.unwatch();
    this.#options.onChange();
    await running.source.close();
  }
}
