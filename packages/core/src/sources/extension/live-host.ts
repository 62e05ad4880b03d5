import { LunaError, messageOf } from '../../errors/index.ts';
import { afterFailure, noFailures, processRestartPolicy } from '../../supervisor/index.ts';
import type { SourceHealth } from '../../tools/index.ts';
import type { HostEvents, ToolHost } from './tool-host.ts';

export interface LiveHostOptions {
  /** Loads the files as they are now; nothing where there are none of this language. */
  readonly load: (events: HostEvents) => Promise<ToolHost | undefined>;
  /** How long calls under way may go on in the old version after a new one was loaded, in ms. */
  readonly drainLimitMs: number;
  readonly onLog: (line: string) => void;
  readonly onChange: () => void;
}

/**
 * The tool files of one language, kept running: a new version serves as soon as it has loaded while calls under way
 * end in the old one, a version that does not load leaves the last good one serving, and a crash is followed by a
 * restart.
 */
export class LiveHost {
  readonly #options: LiveHostOptions;
  /** Former versions in which calls are under way. */
  readonly #draining = new Set<ToolHost>();
  #host: ToolHost | undefined;
  #health: SourceHealth = { status: 'stopped' };
  #isEmpty = true;
  #history = noFailures;
  #loadedAt = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #loading = new AbortController();
  #queue: Promise<void> = Promise.resolve();
  #closed = true;

  constructor(options: LiveHostOptions) {
    this.#options = options;
  }

  /** The version that serves; nothing while there is none. */
  get host(): ToolHost | undefined {
    return this.#host;
  }

  /** Whether there is nothing to run, which is no failure. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  get health(): SourceHealth {
    return this.#health;
  }

  async start(): Promise<void> {
    this.#closed = false;
    await this.reload();
  }

  /**
   * Loads the files anew and swaps to them. A load under way is broken off: what it reads is out of date, and it may
   * never end. Settles when the last load has come to its end, also where that is another one than this.
   */
  async reload(): Promise<void> {
    this.#history = noFailures;
    this.#loading.abort();
    for (let last = this.#enqueueLoad(); ; last = this.#queue) {
      await last;
      if (last === this.#queue) return;
    }
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
      const next = await this.#loadHost(loading.signal);
      const former = this.#host;
      this.#host = next;
      this.#isEmpty = next === undefined;
      this.#loadedAt = performance.now();
      this.#set({ status: 'ready' });
      if (former) void this.#drain(former);
    } catch (thrown) {
      if (loading.signal.aborted) return;
      const reason = messageOf(thrown);
      this.#options.onLog(reason);
      this.#isEmpty = false;
      if (this.#host) this.#set({ status: 'degraded', reason: `${reason} (the last good version goes on serving)` });
      else this.#set({ status: 'down', reason });
    }
  }

  async #loadHost(signal: AbortSignal): Promise<ToolHost | undefined> {
    let ended: string | undefined;
    const host = await this.#options.load({
      signal,
      onCrash: (reason) => {
        ended = reason;
        if (host) this.#crashed(host, reason);
      },
      onStuck: (reason) => {
        this.#options.onLog(reason);
        if (host === this.#host) void this.#enqueueLoad();
      },
    });
    if (ended !== undefined) throw new LunaError('extension_invalid', `It ended as soon as it had loaded: ${ended}`);
    return host;
  }

  async #drain(host: ToolHost): Promise<void> {
    this.#draining.add(host);
    await host.drain(this.#options.drainLimitMs);
    this.#draining.delete(host);
  }

  /** The tools stay listed while the host is started again: clients need not hear of a short absence. */
  #crashed(host: ToolHost, reason: string): void {
    if (host !== this.#host || this.#closed) return;
    this.#host = undefined;
    const next = afterFailure(processRestartPolicy, this.#history, performance.now() - this.#loadedAt);
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
    this.#options.onChange();
  }
}
