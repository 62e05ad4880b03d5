import { basename, join } from 'node:path';
import { LunaError } from '../../errors/index.ts';
import { childEnvironment } from '../../supervisor/index.ts';
import type { SourceCall, SourceHealth, Tool, ToolArguments, ToolExample, ToolResult } from '../../tools/index.ts';
import type { ReloadableSource } from '../kind.ts';
import { ExtensionHost } from './host.ts';
import { LiveHost } from './live-host.ts';
import { LoadingLine } from './loading-line.ts';
import { findToolFiles, readManifest, secretsOf } from './manifest.ts';
import { PythonHost } from './python/index.ts';
import type { HostEvents, ToolHost } from './tool-host.ts';

export interface ExtensionSourceOptions {
  /** The folder of the extension; its name is the id of the source. */
  readonly folder: string;
  /** Where its tools may keep data. Default: `data` in the folder. */
  readonly dataDir?: string;
  /** The values of secrets. An extension gets those that its manifest asks for. */
  readonly secrets?: () => Promise<Readonly<Record<string, string>>>;
  /** See `ToolContext.services`; asked for each call. */
  readonly services?: () => Readonly<Record<string, string>>;
  /** See `ChildOptions.owner`; for Python. */
  readonly owner?: string | undefined;
  /** Memory limit of the worker's heap, in MiB. Default 512. */
  readonly memoryLimitMb?: number;
  /** How long calls under way may go on in the old version after a new one was loaded, in ms. Default 10 minutes. */
  readonly drainLimitMs?: number;
  /** How long a cancelled Python function may take to end before another process takes over, in ms. Default 2 s. */
  readonly cancelLimitMs?: number;
  /** Gets the lines that the tools print. */
  readonly onLog?: (line: string) => void;
  /** Extensions with the same one are loaded a few at a time. */
  readonly line?: LoadingLine;
}

/**
 * The tools of one extension folder: TypeScript and JavaScript in a worker of their own, Python in a process of its
 * own. {@link reload} takes over saved files live: see {@link LiveHost}.
 */
export class ExtensionSource implements ReloadableSource {
  readonly id: string;
  readonly kind = 'extension';
  readonly #options: ExtensionSourceOptions;
  readonly #listeners = new Set<() => void>();
  /** In the order in which their tools are listed. */
  readonly #hosts: readonly [scripts: LiveHost, python: LiveHost];
  #tools: readonly Tool[] = [];
  /** Which host has a tool, and had it while it starts again. */
  #owners: ReadonlyMap<string, LiveHost> = new Map();
  #twice: readonly string[] = [];
  #state: 'stopped' | 'starting' | 'started' = 'stopped';

  constructor(options: ExtensionSourceOptions) {
    this.#options = options;
    this.id = basename(options.folder);
    const live = (load: (events: HostEvents) => Promise<ToolHost | undefined>) =>
      new LiveHost({
        load,
        drainLimitMs: options.drainLimitMs ?? 600_000,
        onLog: (line) => options.onLog?.(line),
        onChange: () => this.#changed(),
      });
    const { line = new LoadingLine() } = options;
    this.#hosts = [
      live((events) => line.load(() => this.#loadScripts(events), events.signal)),
      live((events) => line.load(() => this.#loadPython(events), events.signal)),
    ];
  }

  list(): readonly Tool[] {
    return this.#tools;
  }

  /** What the tool files say as SYSTEM_PROMPT. */
  get systemPrompt(): string | undefined {
    const prompts = this.#hosts.flatMap(({ host }) => host?.systemPrompt ?? []);
    return prompts.length > 0 ? prompts.join('\n\n') : undefined;
  }

  examplesOf(name: string): readonly ToolExample[] {
    return this.#owners.get(name)?.host?.examples[name] ?? [];
  }

  health(): SourceHealth {
    if (this.#state !== 'started') return { status: this.#state };
    const health = this.#combinedHealth();
    if (health.status === 'ready') return health;
    const log = this.#hosts.flatMap(({ host }) => host?.log() ?? []);
    return log.length > 0 ? { ...health, log } : health;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    this.#state = 'starting';
    this.#tell();
    await Promise.all(this.#hosts.map((host) => host.start()));
    if (this.#state !== 'starting') return;
    this.#state = 'started';
    this.#changed();
  }

  /**
   * Loads the files anew and swaps to them. A load under way is broken off. A failure shows in {@link health}; the
   * last good version goes on serving.
   */
  async reload(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.reload()));
  }

  async call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    const owner = this.#owners.get(name);
    // A host answers for names that nobody has.
    const host = owner ? owner.host : this.#hosts.find((live) => live.host)?.host;
    if (host) return host.call(name, args, call);
    const reason = owner?.health.reason ?? this.health().reason ?? 'it is not running';
    throw new LunaError('source_unavailable', `The extension "${this.id}" cannot be called: ${reason}`, {
      details: { outcome: 'failed' },
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#tell();
  }

  #combinedHealth(): SourceHealth {
    const used = this.#hosts.filter((host) => !host.isEmpty).map((host) => host.health);
    const ill = used.filter(({ status }) => status !== 'ready');
    const reasons = [...new Set(ill.flatMap(({ reason }) => reason ?? []))];
    if (this.#twice.length > 0)
      reasons.push(`Python tools are left out because TypeScript has their names: ${this.#twice.join(', ')}.`);
    if (reasons.length === 0) return { status: 'ready' };
    const retries = ill.flatMap(({ retryAt }) => retryAt ?? []);
    return {
      status:
        ill.length > 0 && ill.length === used.length && ill.every(({ status }) => status === 'down')
          ? 'down'
          : 'degraded',
      reason: reasons.join(' '),
      ...(retries.length > 0 && { retryAt: Math.min(...retries) }),
    };
  }

  /** Lists the tools anew, and leaves the list as it is where it says the same. */
  #changed(): void {
    // Both languages are told of together: clients would else load half a list.
    if (this.#state !== 'started') return;
    const tools: Tool[] = [];
    const owners = new Map<string, LiveHost>();
    const twice: string[] = [];
    for (const live of this.#hosts) {
      const isAway = !live.host && !live.isEmpty;
      const listed = isAway ? this.#tools.filter(({ name }) => this.#owners.get(name) === live) : live.host?.tools;
      for (const tool of listed ?? []) {
        if (owners.has(tool.name)) twice.push(tool.name);
        else {
          owners.set(tool.name, live);
          tools.push(tool);
        }
      }
    }
    this.#owners = owners;
    this.#twice = twice;
    if (JSON.stringify(tools) !== JSON.stringify(this.#tools)) this.#tools = tools;
    this.#tell();
  }

  async #loadScripts(events: HostEvents): Promise<ToolHost | undefined> {
    const { folder, dataDir, services, memoryLimitMb, onLog } = this.#options;
    const files = await findToolFiles(folder);
    // Without files of either language there is still a manifest that may be wrong.
    const secrets = await this.#secrets();
    if (files.length === 0) return undefined;
    return ExtensionHost.start({
      name: this.id,
      files,
      folder,
      dataDir: dataDir ?? join(folder, 'data'),
      env: childEnvironment({ cwd: folder, env: secrets }),
      services,
      memoryLimitMb: memoryLimitMb ?? 512,
      signal: events.signal,
      onCrash: events.onCrash,
      onLog,
    });
  }

  async #loadPython(events: HostEvents): Promise<ToolHost | undefined> {
    const { folder, dataDir, owner, cancelLimitMs, onLog } = this.#options;
    const files = await findToolFiles(folder, 'python');
    if (files.length === 0) return undefined;
    const env = { ...(await this.#secrets()), LUNA_DATA_DIR: dataDir ?? join(folder, 'data') };
    return PythonHost.start({ name: this.id, files, folder, env, owner, cancelLimitMs, onLog, ...events });
  }

  /** The secrets that the manifest asks for. */
  async #secrets(): Promise<Record<string, string>> {
    const manifest = await readManifest(this.#options.folder);
    const secrets = (await this.#options.secrets?.()) ?? {};
    const asked = secretsOf(manifest).filter((key) => Object.hasOwn(secrets, key));
    return Object.fromEntries(asked.map((key) => [key, secrets[key] ?? '']));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
