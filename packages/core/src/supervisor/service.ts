import type { HealthCheck } from './health-check.ts';
import type { RestartPolicy } from './restart.ts';

/** A program to be kept running. */
export interface ServiceDefinition {
  /** Unique in its supervisor. Names its log file too: letters, digits, ".", "_" and "-". */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd: string;
  /** What it gets beside the few variables that every program needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further variables, asked for at each start. That they change is no reason to restart it. */
  readonly envAtStart?: () => Readonly<Record<string, string>>;
  /** The port that it listens on. For people to see; the program itself has to be told by an argument or a variable. */
  readonly port?: number;
  /** Answers when the program can be used, and then whether it still is well. Left out: it is well while it runs. */
  readonly health?: HealthCheck;
  readonly healthTimes?: Partial<HealthTimes>;
  /** Whether it is started anew after it ended or fell ill. Default: true. */
  readonly restartOnFailure?: boolean;
  readonly restartPolicy?: RestartPolicy;
  /** How long it may take to end by itself. Default: 10 seconds. */
  readonly stopGraceMs?: number;
  /** Anything whose change is to restart the program although nothing else changed, such as the time of a file. */
  readonly revision?: string;
}

/** All in milliseconds. */
export interface HealthTimes {
  /** Between two checks. Default: 30 seconds. */
  readonly intervalMs: number;
  /** For one check. Default: 5 seconds. */
  readonly timeoutMs: number;
  /** Until it has to be ready for the first time. Default: 60 seconds. */
  readonly startLimitMs: number;
  /** So many checks in a row must fail before an ill program is started anew. Default: 3. */
  readonly failuresBeforeRestart: number;
}

export const defaultHealthTimes: HealthTimes = {
  intervalMs: 30_000,
  timeoutMs: 5_000,
  startLimitMs: 60_000,
  failuresBeforeRestart: 3,
};

/**
 * - `starting`: it runs, and has not been ready yet.
 * - `running`: it is well.
 * - `unhealthy`: it runs, and does not answer as it should.
 * - `backoff`: it ended, and will be started again at `retryAt`.
 * - `failed`: it ended too often, or may not be started again; a person has to.
 * - `stopping`, `stopped`: somebody wanted that.
 */
export type ServiceStatus = 'starting' | 'running' | 'unhealthy' | 'backoff' | 'failed' | 'stopping' | 'stopped';

/** How a service is now. */
export interface ServiceState {
  readonly status: ServiceStatus;
  /** When it came to be so, in milliseconds since the epoch. */
  readonly since: number;
  readonly pid?: number;
  /** The system's notation; with the pid it tells who the process is. */
  readonly startTime?: string;
  /** When the process was started, in milliseconds since the epoch. */
  readonly startedAt?: number;
  /** How often it has been started anew. */
  readonly restarts: number;
  /** What is wrong. */
  readonly reason?: string;
  /** The last lines that it printed before it ended. */
  readonly lastLines?: readonly string[];
  readonly retryAt?: number;
  readonly lastCheck?: { readonly at: number; readonly problem?: string };
}
