import { randomUUID } from 'node:crypto';
import { messageOf } from '../errors/index.ts';
import { type Child, describeExit, startChild } from './child.ts';
import { checkHealth } from './health-check.ts';
import { LineTail } from './line-tail.ts';
import { identify, processesMarked } from './process-identity.ts';
import { afterFailure, noFailures, processRestartPolicy } from './restart.ts';
import { defaultHealthTimes, type HealthTimes, type ServiceDefinition, type ServiceState } from './service.ts';
import type { ServiceLog } from './service-log.ts';
import { defaultGraceMs, stopProcesses } from './stop.ts';

export interface SupervisedProcessOptions {
  readonly definition: ServiceDefinition;
  readonly log: ServiceLog;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  /** After each change of the state. */
  readonly onChange: () => void;
}

/** One start of the program, until it has ended. */
interface Run {
  readonly child: Child;
  /** In the environment of the process and of all that it starts, wherever they go. */
  readonly mark: string;
  /** For people, in milliseconds since the epoch. Durations are taken from the other two: a wall clock may be set. */
  readonly startedAt: number;
  readonly began: number;
  readyAt?: number;
  readonly output: LineTail;
  timer?: NodeJS.Timeout;
  failedChecks: number;
  /** What to say of its end, where that was Luna's doing. */
  endedBecause?: string;
}

const runMark = 'LUNA_SERVICE_RUN';
/** What has left the group of its parent is given so long at least, in milliseconds. */
const leastGraceMs = 1_000;
/** How soon after the start a program is asked whether it is ready, how the pauses grow, and how far apart at most. */
const readiness = { firstMs: 5, growth: 1.5, mostMs: 250 };

/** Keeps one program running: starts it, asks whether it is well, starts it anew, and gives up in the end. */
export class SupervisedProcess {
  readonly definition: ServiceDefinition;
  readonly log: ServiceLog;
  readonly #options: SupervisedProcessOptions;
  readonly #times: HealthTimes;
  #state: ServiceState = { status: 'stopped', since: Date.now(), restarts: 0 };
  #history = noFailures;
  #run: Run | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** What was asked for last. */
  #wanted = false;
  /** Starts and stops wait for one another. */
  #work: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<() => void>();

  constructor(options: SupervisedProcessOptions) {
    this.#options = options;
    this.definition = options.definition;
    this.log = options.log;
    this.#times = { ...defaultHealthTimes, ...options.definition.healthTimes };
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** Starts it, as if it had never failed. Settles when the process exists or could not be started. */
  start(): Promise<void> {
    this.#wanted = true;
    return this.#next(async () => {
      if (!this.#wanted || this.#run) return;
      this.#history = noFailures;
      await this.#launch();
    });
  }

  /**
   * Ends it and all of its group. Settles when nothing of it is left. It gets as long as it may take, or less where the
   * limit in milliseconds is less.
   */
  stop(limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#wanted = false;
    return this.#next(() => this.#end(limitMs));
  }

  async restart(): Promise<void> {
    this.#wanted = true;
    await this.#next(() => this.#end());
    await this.start();
  }

  /** Waits until it is known whether it became ready, or for the limit in milliseconds. */
  settled(limitMs: number): Promise<void> {
    const isSettled = () => this.#state.status !== 'starting' && this.#state.status !== 'stopping';
    return new Promise((settle) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle();
      };
      const look = () => isSettled() && done();
      const timer = setTimeout(done, limitMs);
      this.#waiting.add(look);
      void this.#work.then(look);
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work);
    return this.#work;
  }

  async #end(limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    clearTimeout(this.#retry);
    const run = this.#run;
    if (run) {
      this.#set({ status: 'stopping' });
      await this.#stopRun(run, limitMs);
    }
    if (this.#state.status !== 'stopped') this.#set({ status: 'stopped' });
  }

  async #stopRun(run: Run, limitMs: number): Promise<void> {
    clearTimeout(run.timer);
    this.#run = undefined;
    await this.#endAll(run, limitMs);
    this.log.note('stopped');
  }

  /** Ends the group, and then, in what is left of the time, what has left it. */
  async #endAll({ child, mark }: Run, limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    const graceMs = Math.min(limitMs, this.definition.stopGraceMs ?? defaultGraceMs);
    const began = performance.now();
    await child.stop(graceMs);
    const leftMs = Math.max(leastGraceMs, graceMs - (performance.now() - began));
    // Whoever is found may have started another one just before.
    for (let looks = 0; looks < 5; looks++) {
      const escaped = await processesMarked(runMark, mark);
      if (escaped.length === 0) return;
      await stopProcesses(escaped, Math.min(graceMs, leftMs));
    }
  }

  async #launch(): Promise<void> {
    const { name, command, args, cwd, env } = this.definition;
    this.#set({ status: 'starting', startedAt: Date.now() });
    this.log.note(`starting ${name}: ${command}`);
    const mark = randomUUID();
    let child: Child;
    try {
      const { owner } = this.#options;
      const full = { ...env, ...this.definition.envAtStart?.(), [runMark]: mark };
      child = await startChild({ command, cwd, owner, env: full, ...(args && { args }) });
    } catch (thrown) {
      this.#failed(messageOf(thrown), 0, []);
      return;
    }
    child.stdin.on('error', () => undefined).end();
    const output = new LineTail(undefined, { maxLines: 10 });
    this.log.take(child.stdout);
    this.log.take(child.stderr);
    output.watch(child.stdout);
    output.watch(child.stderr);
    const run: Run = { child, mark, startedAt: Date.now(), began: performance.now(), output, failedChecks: 0 };
    this.#run = run;
    void child.exited.then((exit) => this.#exited(run, describeExit(exit), exit.code === 0));
    const identity = await identify(child.pid);
    if (this.#run !== run) return;
    this.#set({ status: 'starting', pid: child.pid, startedAt: run.startedAt, ...identity });
    if (this.definition.health) this.#ask(run, readiness.firstMs);
    else this.#ready(run);
  }

  /** Asks once after the pause, and plans the next question. */
  #ask(run: Run, pauseMs: number): void {
    run.timer = setTimeout(async () => {
      const { health, cwd, env } = this.definition;
      if (!health) return;
      const place = { cwd, owner: this.#options.owner, ...(env && { env }) };
      const problem = await checkHealth(health, place, this.#times.timeoutMs);
      if (this.#run !== run) return;
      const lastCheck = { at: Date.now(), ...(problem !== undefined && { problem }) };
      if (problem === undefined) this.#ready(run, lastCheck);
      else if (run.readyAt === undefined) this.#notReadyYet(run, problem, pauseMs, lastCheck);
      else this.#ill(run, problem, lastCheck);
    }, pauseMs);
  }

  #ready(run: Run, lastCheck?: ServiceState['lastCheck']): void {
    run.readyAt ??= performance.now();
    run.failedChecks = 0;
    const isNews = this.#state.status !== 'running';
    if (isNews) this.log.note(`running after ${Math.round(performance.now() - run.began)} ms`);
    this.#set({ ...this.#ofRun(), status: 'running', ...(lastCheck && { lastCheck }) }, isNews);
    if (this.definition.health) this.#ask(run, this.#times.intervalMs);
  }

  #notReadyYet(run: Run, problem: string, pauseMs: number, lastCheck: ServiceState['lastCheck']): void {
    const { startLimitMs } = this.#times;
    if (performance.now() - run.began < startLimitMs) {
      this.#set({ ...this.#ofRun(), status: 'starting', ...(lastCheck && { lastCheck }) }, false);
      this.#ask(run, Math.min(pauseMs * readiness.growth, readiness.mostMs));
      return;
    }
    // From here on it is like one that was well once: it gets a few more chances, and is started anew then.
    run.readyAt = performance.now();
    this.#ill(run, `It was not ready within ${startLimitMs / 1000} s: ${problem}`, lastCheck);
  }

  #ill(run: Run, problem: string, lastCheck: ServiceState['lastCheck']): void {
    run.failedChecks += 1;
    if (this.#state.status !== 'unhealthy') this.log.note(`unhealthy: ${problem}`);
    this.#set({ ...this.#ofRun(), status: 'unhealthy', reason: problem, ...(lastCheck && { lastCheck }) });
    const mayRestart = this.definition.restartOnFailure !== false;
    if (!mayRestart || run.failedChecks < this.#times.failuresBeforeRestart) this.#ask(run, this.#times.intervalMs);
    else {
      run.endedBecause = problem;
      void run.child.stop(this.definition.stopGraceMs ?? defaultGraceMs);
    }
  }

  #exited(run: Run, how: string, isClean: boolean): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    clearTimeout(run.timer);
    const healthyMs = run.readyAt === undefined ? 0 : performance.now() - run.readyAt;
    const reason = run.endedBecause ?? `It ${how}.`;
    // What it has started and left behind goes before anything is started anew.
    void this.#next(async () => {
      await this.#endAll(run);
      if (!this.#wanted || this.#run) return;
      if (this.definition.restartOnFailure === false && isClean) {
        this.#wanted = false;
        this.#set({ status: 'stopped', reason });
      } else this.#failed(reason, healthyMs, run.output.lines());
    });
    const status = this.definition.restartOnFailure === false ? 'failed' : 'backoff';
    this.#set({ status, reason, lastLines: run.output.lines() });
  }

  #failed(reason: string, healthyMs: number, lastLines: readonly string[]): void {
    const policy = this.definition.restartPolicy ?? processRestartPolicy;
    const next = afterFailure(policy, this.#history, healthyMs);
    this.#history = next.history;
    const said = { reason, ...(lastLines.length > 0 && { lastLines }) };
    if (next.delayMs === 'give-up' || this.definition.restartOnFailure === false) {
      this.log.note(`failed: ${reason}`);
      const times = this.#history.failures > 1 ? ` It was tried ${this.#history.failures} times.` : '';
      this.#set({ ...said, status: 'failed', reason: `${reason}${times}` });
      return;
    }
    this.log.note(`${reason} Starting it again in ${next.delayMs / 1000} s.`);
    this.#set({ ...said, status: 'backoff', retryAt: Date.now() + next.delayMs });
    const again = () =>
      void this.#next(async () => {
        if (!this.#wanted || this.#run) return;
        this.#state = { ...this.#state, restarts: this.#state.restarts + 1 };
        await this.#launch();
      });
    // Others get their turn in between, also where a policy never waits.
    if (next.delayMs === 0) setImmediate(again);
    else this.#retry = setTimeout(again, next.delayMs);
  }

  /** What stays the same while one process runs. */
  #ofRun(): Partial<ServiceState> {
    const { pid, startTime, startedAt, lastCheck } = this.#state;
    return {
      ...(pid !== undefined && { pid }),
      ...(startTime !== undefined && { startTime }),
      ...(startedAt !== undefined && { startedAt }),
      ...(lastCheck && { lastCheck }),
    };
  }

  #set(state: Partial<ServiceState> & Pick<ServiceState, 'status'>, isNews = true): void {
    const since = state.status === this.#state.status ? this.#state.since : Date.now();
    this.#state = { since, restarts: this.#state.restarts, ...state };
    for (const look of [...this.#waiting]) look();
    if (isNews) this.#options.onChange();
  }
}
