import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { homePaths } from '@luna/core/config';
import type { StartPhase } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import {
  afterFailure,
  describeExit,
  type HomeLock,
  noFailures,
  ownerMark,
  processesMarked,
  processRestartPolicy,
  stopProcesses,
  takeLock,
} from '@luna/core/supervisor';
import { CoreSwitch } from '../core-update/core-switch.ts';
import { CoreUpdateJournal } from '../core-update/journal.ts';
import type { Settings } from '../settings.ts';
import { restartExitCode, type ServerMessage, serverMessage, updateExitCode } from './server-messages.ts';

export interface LaunchOptions {
  readonly settings: Settings;
  /** Told of the phases of the first start. */
  readonly onPhase?: (phase: StartPhase) => void;
  /** The server answers: the first time, or again after a restart. */
  readonly onReady: (ready: Extract<ServerMessage, { type: 'ready' }>, isFirst: boolean) => void;
  /** Something that whoever looks at the terminal should know. */
  readonly onNotice: (text: string) => void;
}

interface ServerEnd {
  readonly exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null };
  readonly failure: Extract<ServerMessage, { type: 'failed' }> | undefined;
  readonly wasReady: boolean;
}

/** How long a phase of a start may take, and an end, in milliseconds. */
const limits = { readyMs: 120_000, stopMs: 12_000 };
const program = fileURLToPath(new URL('../../bin/luna.mjs', import.meta.url));

/** Holds a home, and keeps a server process running on it: starts it again when it dies, or when it asks for that. */
export class Launcher {
  readonly #options: LaunchOptions;
  readonly #lock: HomeLock;
  #child: ChildProcess | undefined;
  #stopping = false;
  #history = noFailures;
  #readyAt: number | undefined;
  /** Puts another version of Luna into its place, and takes it back. */
  readonly #core: CoreSwitch;
  /** Kept over restarts where any free port was asked for. */
  #port: string;
  #wake: (() => void) | undefined;

  private constructor(options: LaunchOptions, lock: HomeLock) {
    this.#options = options;
    this.#lock = lock;
    this.#port = String(options.settings.port);
    this.#core = new CoreSwitch(new CoreUpdateJournal(options.settings.home));
  }

  /** Takes the home; what an earlier Luna has left running is ended first. Throws `already_running`. */
  static async open(options: LaunchOptions): Promise<Launcher> {
    return new Launcher(options, await takeLock(homePaths(options.settings.home).lock));
  }

  /**
   * Runs until the server was told to end, and gives the home free. Throws what kept the server from starting, and
   * `process_failed` when it has died too often.
   */
  async run(): Promise<void> {
    try {
      let isTrial = await this.#core.recover();
      while (!this.#stopping) {
        const { exit, failure, wasReady } = await this.#runOnce(isTrial);
        await stopProcesses(await processesMarked(ownerMark, this.#lock.owner));
        const isTakenBack = isTrial && !wasReady && !this.#stopping;
        isTrial = false;
        if (isTakenBack) {
          const why = failure?.message ?? `It ${describeExit(exit)} before it was ready.`;
          this.#options.onNotice(`The new Luna does not come up, and the former one is brought back. ${why}`);
          await this.#core.takeBack(why);
          continue;
        }
        if (failure) {
          const { code, message, phase } = failure;
          throw new LunaError(code, message, phase === undefined ? {} : { details: { phase } });
        }
        if (this.#stopping || exit.code === 0) return;
        if (exit.code === restartExitCode) continue;
        if (exit.code === updateExitCode) {
          isTrial = await this.#core.switch();
          if (!isTrial)
            this.#options.onNotice('The new Luna could not be switched to. The present one is started again.');
          continue;
        }
        await this.#pauseAfter(describeExit(exit));
      }
    } finally {
      await this.#lock.release();
    }
  }

  /** Ends the server in order. {@link run} settles then. */
  stop(): void {
    this.#stopping = true;
    this.#wake?.();
    const child = this.#child;
    if (!child) return;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), limits.stopMs).unref();
  }

  #runOnce(isTrial: boolean) {
    const { settings, onPhase, onReady, onNotice } = this.#options;
    const isFirst = this.#readyAt === undefined;
    const child = spawn(process.execPath, [program, 'serve', ...this.#arguments()], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Ctrl-C is this process's to hear; it ends the server in order.
      detached: true,
      env: { ...process.env, [ownerMark]: this.#lock.owner, LUNA_HOME: settings.home },
    });
    this.#child = child;
    let goingOn: StartPhase['name'] | undefined;
    const patience = setTimeout(() => {
      const where = goingOn === undefined ? '' : ` (phase ${goingOn})`;
      onNotice(
        `Luna was not ready within ${limits.readyMs / 1000} s${where}, and is ended. logs/luna.log may say why.`,
      );
      child.kill('SIGKILL');
    }, limits.readyMs);
    let failure: Extract<ServerMessage, { type: 'failed' }> | undefined;
    let wasReady = false;
    let confirmed: Promise<void> | undefined;
    child.on('message', (received) => {
      const message = serverMessage.safeParse(received).data;
      if (message?.type === 'phase') {
        goingOn = message.phase.name;
        // Each has the whole time to itself.
        if (!wasReady) patience.refresh();
        if (isFirst) onPhase?.(message.phase);
      }
      if (message?.type === 'failed' && (isFirst || isTrial)) failure = message;
      else if (message?.type === 'ready') {
        clearTimeout(patience);
        wasReady = true;
        if (isTrial) confirmed = this.#core.confirm();
        this.#readyAt = performance.now();
        this.#port = new URL(message.url).port;
        onReady(message, isFirst);
      }
    });
    return new Promise<ServerEnd>((settle, reject) => {
      const ended = (exit: ServerEnd['exit'], how = describeExit(exit)) => {
        clearTimeout(patience);
        this.#child = undefined;
        // One that has never been ready would not be the next time either.
        const why = `The server ${how} before it was ready. logs/luna.log may say why.`;
        if (isFirst && !wasReady && !this.#stopping)
          failure ??= { type: 'failed', code: 'process_failed', message: why };
        Promise.resolve(confirmed).then(() => settle({ exit, failure, wasReady }), reject);
      };
      child.once('exit', (code, signal) => ended({ code, signal }));
      child.once('error', (error) => {
        if (child.pid === undefined) ended({ code: null, signal: null }, `cannot be started (${error.message})`);
      });
    });
  }

  async #pauseAfter(how: string): Promise<void> {
    const healthyMs = performance.now() - (this.#readyAt ?? performance.now());
    const next = afterFailure(processRestartPolicy, this.#history, healthyMs);
    this.#history = next.history;
    const { onNotice } = this.#options;
    const { delayMs } = next;
    if (delayMs === 'give-up') {
      throw new LunaError(
        'process_failed',
        `The server ${how}, ${next.history.failures} times in a short while. It is not started again; logs/luna.log may say why.`,
      );
    }
    onNotice(`The server ${how}. Starting it again${delayMs > 0 ? ` in ${delayMs / 1000} s` : ''}.`);
    await new Promise<void>((settle) => {
      const timer = setTimeout(settle, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        settle();
      };
    });
  }

  #arguments(): string[] {
    const { home, host, allowExternal } = this.#options.settings;
    return ['--home', home, '--host', host, '--port', this.#port, ...(allowExternal ? ['--allow-external'] : [])];
  }
}
