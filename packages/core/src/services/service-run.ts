import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError, messageOf } from '../errors/index.ts';
import { afterFailure, describeExit, noFailures, type RestartPolicy } from '../supervisor/index.ts';
import { whatIsWrong } from './health.ts';
import { HealthWatch } from './health-watch.ts';
import { identityOf, KeptProgram } from './kept-program.ts';
import { now, type ServiceBook } from './service-book.ts';
import type { ServiceContext } from './service-context.ts';
import type { Turns } from './turns.ts';

/** Times in milliseconds. */
export interface ServiceTiming {
  /** How often the health of what runs is asked for. */
  readonly healthIntervalMs: number;
  readonly restartPolicy: RestartPolicy;
}

/** What changes of a service while Luna runs, beside its record. */
export interface ServiceState {
  readonly retryAt?: number;
  readonly restarts: number;
  readonly pid?: number;
}

/** A program without a health check is up when it has not ended within this, in milliseconds. */
const survivesMs = 300;
/** How long a program may take to end when Luna itself ends: with this Luna does so within its ten seconds. */
const closeLimitMs = 7_000;
/** What a program that crashed has started may hold its port a little longer, in milliseconds. */
const portPatienceMs = 3_000;

/** A service being up or down: started, watched, started again when it fails, ended. */
export class ServiceRun {
  readonly #context: () => ServiceContext;
  readonly #book: ServiceBook;
  readonly #turns: Turns;
  readonly #timing: ServiceTiming;
  readonly #health: HealthWatch;
  #isWanted = false;
  #program: KeptProgram | undefined;
  #retry: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  #history = noFailures;
  #wellSince: number | undefined;
  #restarts = 0;

  constructor(options: {
    readonly context: () => ServiceContext;
    readonly book: ServiceBook;
    readonly turns: Turns;
    readonly timing: ServiceTiming;
  }) {
    this.#context = options.context;
    this.#book = options.book;
    this.#turns = options.turns;
    this.#timing = options.timing;
    this.#health = new HealthWatch({
      ...options,
      intervalMs: options.timing.healthIntervalMs,
      onUnwell: (reason) => this.#down(reason),
    });
  }

  /** Whether it is meant to be up. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  get state(): ServiceState {
    return {
      restarts: this.#restarts,
      ...(this.#retry && { retryAt: this.#retry.at }),
      ...(this.#program && { pid: this.#program.pid }),
    };
  }

  /** Starts it and waits until it is well. Throws why it is not, and leaves it ended. */
  async up(signal: AbortSignal, { limitMs = this.#limitMs, asRestart = false } = {}): Promise<void> {
    this.#forgetFailures();
    try {
      await this.#bringUp(signal, limitMs, asRestart);
    } catch (thrown) {
      this.#isWanted = false;
      await this.#endProgram();
      throw thrown;
    }
  }

  /** As {@link up}; but a failure is told by the status, and it is tried again as often as is good. */
  async upOrRetry(signal: AbortSignal, asRestart = false): Promise<void> {
    try {
      await this.#bringUp(signal, this.#limitMs, asRestart);
    } catch (thrown) {
      await this.#endProgram();
      if (!signal.aborted) this.#down(messageOf(thrown));
    }
  }

  /** Ends it. `isPatient`: a stop command that fails does not matter. */
  async down(signal: AbortSignal, { isPatient = false, isWanted = false } = {}): Promise<void> {
    this.#isWanted = isWanted;
    this.#quiet();
    this.#forgetFailures();
    await this.#bringDown(signal, isPatient);
  }

  /** It is up: from now on it is watched. */
  async watch(): Promise<void> {
    this.#isWanted = true;
    this.#wellSince = performance.now();
    this.#health.begin();
    const isThrough = this.#book.record.under_way === undefined;
    await this.#book.save({
      ...(isThrough && { status: 'running', reason: undefined }),
      started_at: now(),
      last_healthy: now(),
    });
  }

  /** Ends what Luna keeps running. A service with commands of its own goes on without Luna. */
  async close(): Promise<void> {
    this.#isWanted = false;
    this.#quiet();
    if (!this.#program) return;
    await this.#endProgram(closeLimitMs);
    if (this.#book.record.under_way === undefined) await this.#book.save({ status: 'stopped' });
  }

  get #limitMs(): number {
    return this.#context().definition.start_timeout * 1000;
  }

  async #bringUp(signal: AbortSignal, limitMs: number, asRestart: boolean): Promise<void> {
    this.#quiet();
    this.#isWanted = true;
    const { definition } = this.#context();
    if (this.#book.record.under_way === undefined) await this.#book.save({ status: 'starting', reason: undefined });
    const deadline = performance.now() + limitMs;
    if (definition.commands.run) await this.#startProgram(signal);
    else {
      const command = asRestart && definition.commands.restart ? 'restart' : 'start';
      await this.#context().run(command, { signal, onStarted: (pid) => this.#remember(pid) });
      await this.#book.save({ process: undefined });
    }
    await this.#untilWell(signal, deadline, limitMs);
    await this.watch();
  }

  async #startProgram(signal: AbortSignal): Promise<void> {
    await this.#endProgram();
    await this.#context().assertPortsFree(portPatienceMs);
    const program = await KeptProgram.start(this.#context());
    this.#program = program;
    await this.#remember(program.pid);
    void program.exited.then(async (exit) => {
      // While it is being brought up or down, whoever does that looks after it.
      await this.#turns.idle();
      if (this.#program !== program) return;
      await this.#endProgram();
      if (!this.#turns.isBusy) this.#down(`The program ${describeExit(exit)}. ${this.#lastWords()}`.trim());
    });
    if (signal.aborted) throw stoppedEarly();
  }

  async #untilWell(signal: AbortSignal, deadline: number, limitMs: number): Promise<void> {
    const program = this.#program;
    let exit: string | undefined;
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    void program?.exited.then((how) => {
      exit = describeExit(how);
      over.abort();
    });
    if (program && !this.#context().definition.commands.health_check) await pause(survivesMs, stop);
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      const wrong = await whatIsWrong(this.#context(), stop).catch(messageOf);
      if (signal.aborted) throw stoppedEarly();
      if (exit !== undefined) throw new LunaError('process_failed', `The program ${exit}. ${this.#lastWords()}`.trim());
      if (wrong === undefined) return;
      if (performance.now() > deadline)
        throw new LunaError('timeout', `It was not well within ${limitMs / 1000} seconds: ${wrong}`);
      await pause(pauseMs, stop);
    }
  }

  async #bringDown(signal: AbortSignal, isPatient: boolean): Promise<void> {
    await this.#endProgram();
    const context = this.#context();
    if (context.definition.commands.run) return;
    try {
      await context.run('stop', { signal });
    } catch (thrown) {
      if (!isPatient || signal.aborted) throw thrown;
      this.#book.log.write(messageOf(thrown));
    }
  }

  async #endProgram(limitMs?: number): Promise<void> {
    const program = this.#program;
    if (!program) return;
    this.#program = undefined;
    await program.stop(limitMs);
    await this.#book.save({ process: undefined });
  }

  /** It is not up as it should be: it is started again, soon or later or not at all. */
  #down(reason: string): void {
    this.#quiet();
    this.#book.log.write(reason);
    const wellMs = this.#wellSince === undefined ? 0 : performance.now() - this.#wellSince;
    this.#wellSince = undefined;
    const { history, delayMs } = afterFailure(this.#timing.restartPolicy, this.#history, wellMs);
    this.#history = history;
    const maySo = this.#context().definition.restart_on_failure;
    if (maySo && delayMs !== 'give-up') {
      this.#retryLater(delayMs);
      void this.#book.save({ status: 'unhealthy', reason });
      return;
    }
    this.#isWanted = false;
    const gaveUp = maySo ? ` Luna gave up after ${history.failures} failures in a row.` : '';
    const next = `Repair the cause, then start it: luna service start ${this.#book.name}`;
    void this.#book.save({ status: 'failed', reason: `${reason}${gaveUp} ${next}` });
  }

  #retryLater(delayMs: number): void {
    clearTimeout(this.#retry?.timer);
    const timer = setTimeout(() => this.#startAgain(), delayMs).unref();
    this.#retry = { at: Date.now() + delayMs, timer };
  }

  #startAgain(): void {
    const work = async (signal: AbortSignal) => {
      this.#restarts++;
      await this.#bringDown(signal, true);
      await this.upOrRetry(signal, true);
    };
    this.#turns.take('started again', work, { isAutomatic: true }).catch(() => {
      // Somebody else has the turn. Who starts or stops it decides what becomes of it, others do not.
      if (this.#isWanted && this.#retry && !this.#turns.isClosed) this.#retryLater(1_000);
    });
  }

  /** Nothing happens by itself any more. */
  #quiet(): void {
    this.#health.end();
    clearTimeout(this.#retry?.timer);
    this.#retry = undefined;
  }

  #forgetFailures(): void {
    this.#history = noFailures;
  }

  /** Written before anything else happens: after a crash of Luna the process is found by it. */
  async #remember(pid: number): Promise<void> {
    const process = await identityOf(pid);
    if (process) await this.#book.save({ process });
  }

  #lastWords(): string {
    const last = this.#book.log.recent().findLast((line) => line.trim() !== '' && !line.startsWith('──'));
    return last === undefined ? '' : `It said: ${last}`;
  }
}

function stoppedEarly(): LunaError {
  return new LunaError('cancelled', 'It was stopped before it was up.');
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
