import type { ScheduleWhen } from './definition.ts';
import { nextTime } from './times.ts';

/** Counted no further; an interval is counted whatever its number. */
const maxCounted = 1_000;

/** Times of a schedule that have come. */
export interface PassedTimes {
  /** The last of them. */
  readonly last: number;
  /** How many they are; 1,000 for a cron expression with more. */
  readonly times: number;
  /** The one that comes next, where there is one. */
  readonly next: number | undefined;
}

/** The times from `first`, which has come, until now. */
export function passedTimes(when: ScheduleWhen, first: number, now: number): PassedTimes {
  if (when.every_seconds !== undefined) {
    const next = nextTime(when, now) ?? first;
    const step = when.every_seconds * 1000;
    return { last: next - step, times: Math.round((next - first) / step), next };
  }
  let last = first;
  let times = 1;
  for (; times < maxCounted; times++) {
    const next = nextTime(when, last);
    if (next === undefined || next > now) return { last, times, next };
    last = next;
  }
  return { last, times, next: nextTime(when, now) };
}
