import { basename, join } from 'node:path';
import { LunaError, messageOf } from '../../errors/index.ts';
import { afterFailure, childEnvironment, noFailures, processRestartPolicy } from '../../supervisor/index.ts';
import type { SourceCall, SourceHealth, Tool, ToolArguments, ToolResult, ToolSource } from '../../tools/index.ts';
import { ExtensionHost } from './host.ts';
import { findToolFiles, readManifest } from './manifest.ts';
import { PythonHost } from './python/host.ts';
import { type ToolHost, together } from './tool-host.ts';

export interface ExtensionSourceOptions {
  /** The folder of the extension; its name is the id of the source. */
  readonly folder: string;
  /** Where its tools may keep data. Default: `data` in the folder. */
  readonly dataDir?: string;
  /** The values of secrets. An extension gets those that its manifest asks for. */
  readonly secrets?: () => Promise<Readonly<Record<string, string>>>;
  /** See `ChildOptions.owner`; for Python. */
  readonly owner?: string;
  /** Memory limit of the worker's heap, in MiB. Default 512. */
  readonly memoryLimitMb?: number;
  /** How long calls under way may go on in the old version after a new one was loaded, in ms. Default 10 minutes. */
  readonly drainLimitMs?: number;
  /** Gets the lines that the tools print. */
  readonly onLog?: (line: string) => void;
}

/**
 * The tools of one extension folder, run in a worker of their own. {@link reload} takes over saved files live: the
 * new version serves new calls as soon as it has loaded, calls under way end in the old one, and a version that does
 * not load leaves the last good one serving.
 */
export class ExtensionSource implements ToolSource {
  readonly id: string;
  readonly kind = 'extension';
  readonly #options: ExtensionSourceOptions;
  readonly #listeners = new Set<() => void>();
  /** Former versions in which calls are under way. */
  readonly #draining = new Set<ToolHost>();
  #host: ToolHost | undefined;
  #tools: readonly Tool[] = [];
  #health: SourceHealth = { status: 'stopped' };
  #history = noFailures;
  #loadedAt = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #loading = new AbortController();
  #queue: Promise<void> = Promise.resolve();
  #closed = true;

  constructor(options: ExtensionSourceOptions) {
    this.#options = options;
    this.id = basename(options.folder);
  }

  list(): readonly Tool[] {
    return this.#tools;
  }

  /** What the tool files export as SYSTEM_PROMPT. */
  get systemPrompt(): string | undefined {
    return this.#host?.systemPrompt;
  }

  health(): SourceHealth {
    const log = this.#host?.log() ?? [];
    return this.#health.status === 'ready' || log.length === 0 ? this.#health : { ...this.#health, log };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    this.#closed = false;
    this.#set({ status: 'starting' });
    await this.reload();
  }

  /**
   * Loads the files anew and swaps to them. A load under way is broken off: what it reads is out of date, and it may
   * never end. A failure shows in {@link health}.
   */
  reload(): Promise<void> {
    this.#history = noFailures;
    this.#loading.abort();
    return this.#enqueueLoad();
  }

  async call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    if (!this.#host) {
      const reason = this.#health.reason ?? 'it is not running';
      throw new LunaError('source_unavailable', `The extension "${this.id}" cannot be called: ${reason}`, {
        details: { outcome: 'failed' },
      });
    }
    return this.#host.call(name, args, call);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restartTimer);
    this.#loading.abort();
    await this.#queue;
    await Promise.all([this.#host, ...this.#draining].map((host) => host?.stop()));
    this.#host = undefined;
    this.#set({ status: 'stopped' });
  }

  #enqueueLoad(): Promise<void> {
    this.#queue = this.#queue.then(() => (this.#closed ? undefined : this.#load()));
    return this.#queue;
  }

  async #load(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const loading = new AbortController();
    this.#loading = loading;
    try {
      const next = await this.#startHost(loading.signal);
      const former = this.#host;
      this.#host = next;
      this.#loadedAt = Date.now();
      if (JSON.stringify(next.tools) !== JSON.stringify(this.#tools)) this.#tools = next.tools;
      this.#set({ status: 'ready' });
      if (former) void this.#drain(former);
    } catch (thrown) {
      if (loading.signal.aborted) return;
      const reason = messageOf(thrown);
      this.#options.onLog?.(reason);
      if (this.#host) this.#set({ status: 'degraded', reason: `${reason} (the last good version goes on serving)` });
      else this.#set({ status: 'down', reason });
    }
  }

  async #drain(host: ToolHost): Promise<void> {
    this.#draining.add(host);
    await host.drain(this.#options.drainLimitMs ?? 600_000);
    this.#draining.delete(host);
  }

  async #startHost(signal: AbortSignal): Promise<ToolHost> {
    const { folder, owner, onLog, memoryLimitMb = 512 } = this.#options;
    const manifest = await readManifest(folder);
    const [files, pythonFiles] = await Promise.all([findToolFiles(folder), findToolFiles(folder, 'python')]);
    const values = (await this.#options.secrets?.()) ?? {};
    const asked = manifest.required_secrets.filter((key) => Object.hasOwn(values, key));
    const secrets = Object.fromEntries(asked.map((key) => [key, values[key] ?? '']));
    let made: ToolHost | undefined;
    const common = {
      name: this.id,
      folder,
      dataDir: this.#options.dataDir ?? join(folder, 'data'),
      signal,
      onLog,
      onCrash: (reason: string) => this.#crashed(made, reason),
    };
    const env = childEnvironment({ cwd: folder, env: secrets });
    const hosts: ToolHost[] = [];
    try {
      if (files.length > 0 || pythonFiles.length === 0)
        hosts.push(await ExtensionHost.start({ ...common, files, env, memoryLimitMb }));
      if (pythonFiles.length > 0) hosts.push(await PythonHost.start({ ...common, files: pythonFiles, secrets, owner }));
    } catch (thrown) {
      await Promise.all(hosts.map((host) => host.stop()));
      throw thrown;
    }
    made = together(hosts);
    return made;
  }

  /** The tools stay listed while the worker is started again: clients need not hear of a short absence. */
  #crashed(host: ToolHost | undefined, reason: string): void {
    if (host !== this.#host || this.#closed) return;
    // What else belongs to it is started anew with it.
    void this.#host?.stop();
    this.#host = undefined;
    const next = afterFailure(processRestartPolicy, this.#history, Date.now() - this.#loadedAt);
    this.#history = next.history;
    if (next.delayMs === 'give-up') {
      this.#set({
        status: 'down',
        reason: `It crashed ${next.history.failures} times and is left stopped: ${reason}. Save one of its files to try again.`,
      });
      return;
    }
    this.#set({ status: 'down', reason: `It crashed: ${reason}`, retryAt: Date.now() + next.delayMs });
    this.#restartTimer = setTimeout(() => void this.#enqueueLoad(), next.delayMs);
  }

  #set(health: SourceHealth): void {
    this.#health = health;
    for (const listener of this.#listeners) listener();
  }
}
