/** How much schedules may grow. */
export interface ScheduleLimits {
  /** Schedules in all. */
  readonly schedules: number;
  /** Schedules that were made through one hub. */
  readonly schedulesOfHub: number;
  /** Runs in the history of one schedule. */
  readonly history: number;
  /** Runs at one time, of all schedules. Others wait. */
  readonly running: number;
  /** Runs of one schedule that wait, or go at one time. */
  readonly runningOfOne: number;
  /** A time that is reached later than this is missed, in milliseconds. */
  readonly lateMs: number;
}

export const standardLimits: ScheduleLimits = {
  schedules: 500,
  schedulesOfHub: 50,
  history: 100,
  running: 20,
  runningOfOne: 10,
  lateMs: 60_000,
};
