import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '@luna/core/errors';

export interface ServiceManagerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told, once, when the manager cannot be told. */
  readonly onError?: (message: string) => void;
}

/** A word that takes longer than this is given up, in milliseconds. */
const limitMs = 5_000;

/**
 * Tells systemd how Luna is, where systemd has started it and asks for that (sd_notify). Node has no datagrams over unix
 * sockets, so the program systemd-notify speaks; the unit must let it: `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  #timer: NodeJS.Timeout | undefined;
  #isMute: boolean;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#isMute = !options.environment.NOTIFY_SOCKET;
  }

  /** The server answers at this address. From here on systemd is told that it does, if it wants to hear that. */
  async ready(url: string): Promise<void> {
    await this.#tell('--ready', `--status=${`Luna answers at ${url}`.replaceAll(/\s+/g, ' ')}`);
    const everyMs = this.#watchdogMs();
    if (everyMs === undefined || this.#isMute) return;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.#tellIfAlive(url, everyMs), everyMs).unref();
  }

  async stopping(): Promise<void> {
    clearInterval(this.#timer);
    await this.#tell('STOPPING=1');
  }

  /** A server that is stuck answers nobody; one that has died is the launcher's to start again. */
  async #tellIfAlive(url: string, limit: number): Promise<void> {
    try {
      await fetch(`${url}/health`, { signal: AbortSignal.timeout(limit) });
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === 'TimeoutError') return;
    }
    await this.#tell('WATCHDOG=1');
  }

  /** A third of the time after which silence counts as death; undefined where nobody counts, or not for this process. */
  #watchdogMs(): number | undefined {
    const { WATCHDOG_USEC = '', WATCHDOG_PID } = this.#options.environment;
    const microseconds = /^\d{1,15}$/.test(WATCHDOG_USEC) ? Number(WATCHDOG_USEC) : 0;
    if (microseconds === 0 || (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid))) return undefined;
    return Math.min(Math.max(microseconds / 3_000, 100), 2_147_483_647);
  }

  async #tell(...words: string[]): Promise<void> {
    if (this.#isMute) return;
    const { NOTIFY_SOCKET = '', PATH = '' } = this.#options.environment;
    try {
      await promisify(execFile)('systemd-notify', [`--pid=${process.pid}`, ...words], {
        env: { NOTIFY_SOCKET, PATH },
        timeout: limitMs,
      });
    } catch (thrown) {
      this.#isMute = true;
      clearInterval(this.#timer);
      this.#options.onError?.(
        `systemd cannot be told how Luna is, because systemd-notify did not run: ${messageOf(thrown).split('\n', 1)[0]}`,
      );
    }
  }
}
