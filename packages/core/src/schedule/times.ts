import { Cron } from 'croner';
import { LunaError, messageOf } from '../errors/index.ts';
import { isTimeZone, type ScheduleWhen } from './definition.ts';

/**
 * The first time of a schedule after a moment, in milliseconds since the epoch; undefined when none comes any more.
 *
 * Where clocks jump, a cron expression with fixed hours runs once a day: a time in the hour that is left out comes at the
 * end of that hour, one in the hour that happens twice comes the first time. One with `*` or steps follows the clock: it
 * has nothing in an hour that is left out, and runs through both of a doubled one. Intervals count real seconds.
 */
export function nextTime(when: ScheduleWhen, after: number): number | undefined {
  if (when.cron !== undefined) return cronOf(when.cron, when.timezone).nextRun(new Date(after))?.getTime();
  if (when.at !== undefined) {
    const at = instantOf(when.at, when.timezone);
    return at > after ? at : undefined;
  }
  const step = (when.every_seconds ?? 0) * 1000;
  const from = when.from === undefined ? 0 : Date.parse(when.from);
  return after < from ? from : from + (Math.floor((after - from) / step) + 1) * step;
}

/** The next times after a moment, as many as there are up to `count`. */
export function nextTimes(when: ScheduleWhen, after: number, count: number): number[] {
  const times: number[] = [];
  for (let next = nextTime(when, after); next !== undefined && times.length < count; next = nextTime(when, next))
    times.push(next);
  return times;
}

/**
 * Fills in what was left out: the time zone, and when an interval begins. Throws `invalid_input` for an expression that
 * cannot be read, for a time in the past, and for one that never comes.
 */
export function completeWhen(when: ScheduleWhen, now: number, timezone: string): ScheduleWhen {
  if (when.every_seconds !== undefined) {
    // The first run comes after one interval, whatever part of a second it is now.
    return { ...when, from: when.from ?? new Date(now).toISOString() };
  }
  const needsZone = when.timezone === undefined && (when.at === undefined || !hasOffset(when.at));
  if (needsZone && !isTimeZone(timezone))
    throw new LunaError(
      'invalid_input',
      `luna.timezone is "${timezone}", which is no time zone. Name one, or mend it.`,
    );
  const complete = needsZone ? { ...when, timezone } : when;
  if (nextTime(complete, now) !== undefined) return complete;
  throw new LunaError(
    'invalid_input',
    complete.at === undefined
      ? `The cron expression "${complete.cron}" names a time that never comes.`
      : `The time ${complete.at} has passed. It is ${new Date(now).toISOString()} now.`,
  );
}

/** A time as clocks in a zone show it, with the offset: `2026-03-29T03:00:00+02:00`. */
export function localTime(time: number, timezone = 'UTC'): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  }).formatToParts(time);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  const offset = part('timeZoneName').replace('GMT', '') || '+00:00';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}${offset}`;
}

function cronOf(expression: string, timezone: string | undefined): Cron {
  try {
    return new Cron(nickname(expression), {
      timezone,
      mode: '5-or-6-parts',
      // "30 2,14 * * *" is as fixed as "30 2 * * *": neither is lost when the clocks jump over 2:30.
      fixedTimeRule: 'no-wildcard',
      paused: true,
    });
  } catch (thrown) {
    const why = messageOf(thrown).replace(/^\w+: /, '');
    throw new LunaError('invalid_input', `The cron expression "${expression}" cannot be read: ${why}`, {
      cause: thrown,
    });
  }
}

/** The library reads a date too where an expression belongs. */
function nickname(expression: string): string {
  const trimmed = expression.trim();
  if (/^@[a-z]+$/i.test(trimmed) || trimmed.split(/\s+/).length > 1) return trimmed;
  throw new Error('five parts are needed, such as "0 9 * * 1-5", or a word such as "@daily".');
}

function hasOffset(time: string): boolean {
  return /(?:Z|[+-]\d\d:\d\d)$/.test(time);
}

function instantOf(time: string, timezone: string | undefined): number {
  if (hasOffset(time)) return Date.parse(time);
  // A time that the clocks leave out is moved on by as much as they jump; of one that comes twice, the first counts.
  const seconds = /T\d\d:\d\d$/.test(time) ? `${time}:00` : time;
  const found = new Cron(seconds.replace(/\.\d+$/, ''), { timezone: timezone ?? 'UTC', paused: true });
  return found.nextRun(new Date(0))?.getTime() ?? Number.NEGATIVE_INFINITY;
}
