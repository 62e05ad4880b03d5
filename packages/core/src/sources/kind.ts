import type { MasterConfig } from '../config/index.ts';
import type { ToolSource } from '../tools/index.ts';

/**
 * One kind of source: it knows what should run by the configuration and its files, and how to make it. Whoever adds a
 * kind writes one of these; nothing else asks what kinds there are.
 */
export interface SourceKind {
  /** What its sources say as their `kind`. */
  readonly name: string;
  /** The folder in which its files lie. It is watched: a change of an entry directly below is told by its name. */
  readonly folder?: string;
  /** Its sources are files in it that end so. Default: they are folders. */
  readonly fileEndings?: RegExp;
  /** The sources that should run. Asked anew after each change of the configuration or of the folder. */
  wanted(config: MasterConfig): Promise<readonly WantedSource[]>;
  /** Ends what its sources share, after they have been closed. */
  close?(): Promise<void>;
}

/** A source that should run, and how to make it. */
export interface WantedSource {
  /** The id of the source. The first kind that wants an id gets it. */
  readonly id: string;
  /** What it is made from, as text. Another text means another source; the same text leaves it alone. */
  readonly settings: string;
  /** The entry below the kind's folder whose change reloads it. */
  readonly entry?: string;
  /** The environment keys that it uses. When the value of one changes it takes over the new one. Default: none. */
  keys?(): Promise<readonly UsedKey[]>;
  make(): ToolSource;
}

/** An environment key that a source uses. */
export interface UsedKey {
  readonly key: string;
  /** Whether the source cannot do without. */
  readonly isRequired: boolean;
}

export function requiredKeys(names: readonly string[]): UsedKey[] {
  return names.map((key) => ({ key, isRequired: true }));
}

/** The keys that texts refer to: `${NAME}` is required, `${NAME:-default}` is not. */
export function referredKeys(text: string): UsedKey[] {
  const used = new Map<string, boolean>();
  for (const [, key = '', otherwise] of text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)(:-)?/g))
    used.set(key, used.get(key) === true || otherwise === undefined);
  return [...used].map(([key, isRequired]) => ({ key, isRequired }));
}

/** A source that reads the values of its keys when it connects. */
export interface ReconnectableSource extends ToolSource {
  reconnect(): Promise<void>;
}

export function isReconnectable(source: ToolSource): source is ReconnectableSource {
  return 'reconnect' in source && typeof source.reconnect === 'function';
}

/** A source that takes over changed files while it runs. */
export interface ReloadableSource extends ToolSource {
  /** Loads the files anew. A version that does not load leaves the last good one serving, and shows in the health. */
  reload(): Promise<void>;
}

export function isReloadable(source: ToolSource): source is ReloadableSource {
  return 'reload' in source && typeof source.reload === 'function';
}
