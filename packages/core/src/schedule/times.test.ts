import { describe, expect, test } from 'vitest';
import type { ScheduleWhen } from './definition.ts';
import { passedTimes } from './passed-times.ts';
import { completeWhen, localTime, nextTime, nextTimes } from './times.ts';

const locally = (when: ScheduleWhen, after: string, count: number) =>
  nextTimes(when, Date.parse(after), count).map((time) => localTime(time, when.timezone));

describe('when the clocks go forward', () => {
  test.each([
    ['a fixed time in the hour that is left out comes at its end, once', '30 2 * * *'],
    ['so does each of a list', '30 2,14 * * *'],
  ])('%s', (_what, cron) => {
    const times = locally({ cron, timezone: 'Europe/Berlin' }, '2026-03-28T14:00:00Z', 3);
    expect(times[0]).toBe('2026-03-29T03:00:00+02:00');
    expect(times).toContain(cron.includes(',') ? '2026-03-29T14:30:00+02:00' : '2026-03-30T02:30:00+02:00');
  });

  test('what runs every half hour has nothing in the hour that is left out', () => {
    expect(locally({ cron: '*/30 * * * *', timezone: 'America/New_York' }, '2026-03-08T06:10:00Z', 3)).toEqual([
      '2026-03-08T01:30:00-05:00',
      '2026-03-08T03:00:00-04:00',
      '2026-03-08T03:30:00-04:00',
    ]);
  });

  test('by half an hour, a time in it comes at its end', () => {
    expect(locally({ cron: '15 2 * * *', timezone: 'Australia/Lord_Howe' }, '2026-10-03T00:00:00Z', 2)).toEqual([
      '2026-10-04T02:30:00+11:00',
      '2026-10-05T02:15:00+11:00',
    ]);
  });

  test('one time in that hour is moved on by as much', () => {
    const when = { at: '2026-03-29T02:30:00', timezone: 'Europe/Berlin' };
    expect(locally(when, '2026-01-01T00:00:00Z', 2)).toEqual(['2026-03-29T03:30:00+02:00']);
  });
});

describe('when the clocks go back', () => {
  test('a fixed time in the hour that comes twice runs the first time only', () => {
    const when = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    expect(locally(when, '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T02:30:00+02:00',
      '2026-10-26T02:30:00+01:00',
    ]);
    // Asked in between, between the two half past twos.
    expect(locally(when, '2026-10-25T00:45:00Z', 1)).toEqual(['2026-10-26T02:30:00+01:00']);
  });

  test('what runs every hour runs in both', () => {
    expect(locally({ cron: '30 * * * *', timezone: 'America/New_York' }, '2026-11-01T05:00:00Z', 3)).toEqual([
      '2026-11-01T01:30:00-04:00',
      '2026-11-01T01:30:00-05:00',
      '2026-11-01T02:30:00-05:00',
    ]);
  });

  test('one time in that hour is the first of the two', () => {
    const when = { at: '2026-10-25T02:30', timezone: 'Europe/Berlin' };
    expect(locally(when, '2026-01-01T00:00:00Z', 1)).toEqual(['2026-10-25T02:30:00+02:00']);
  });
});

test('an interval counts real time from when it began, however long Luna was away', () => {
  const when = { every_seconds: 3_600, from: '2026-03-29T00:20:00.000Z' };
  expect(nextTimes(when, Date.parse('2026-03-29T00:30:00Z'), 2).map((time) => new Date(time).toISOString())).toEqual([
    '2026-03-29T01:20:00.000Z',
    '2026-03-29T02:20:00.000Z',
  ]);
  expect(nextTime(when, 0)).toBe(Date.parse(when.from));
});

test('what was left out is filled in', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(completeWhen({ cron: '0 9 * * *' }, now, 'Asia/Tokyo')).toMatchObject({ timezone: 'Asia/Tokyo' });
  expect(completeWhen({ at: '2026-05-01T09:00' }, now, 'Asia/Tokyo')).toMatchObject({ timezone: 'Asia/Tokyo' });
  expect(completeWhen({ at: '2026-05-01T09:00Z' }, now, 'Asia/Tokyo').timezone).toBeUndefined();
  expect(completeWhen({ every_seconds: 60 }, now, 'UTC').from).toBe('2026-01-01T00:00:00.000Z');
});

test.each([
  [{ cron: '0 9 * *' }, /cannot be read/],
  [{ cron: '61 9 * * *' }, /cannot be read.*minute/],
  [{ cron: '2026-05-01T09:00:00' }, /five parts/],
  [{ cron: '0 0 1 1 * 2020 7' }, /cannot be read/],
  [{ cron: '@reboot' }, /cannot be read/],
  [{ cron: '0 0 30 2 *' }, /never comes/],
  [{ at: '2025-12-31T23:59:59Z' }, /has passed/],
])('%j is refused', (when, why) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(() => completeWhen(when, now, 'UTC')).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  expect(() => completeWhen(when, now, 'UTC')).toThrow(why);
});

test('a zone of the configuration that is none is named', () => {
  expect(() => completeWhen({ cron: '0 9 * * *' }, 0, 'Mars/Base')).toThrow(/luna.timezone is "Mars\/Base"/);
});

test('times that have passed are counted', () => {
  const first = Date.parse('2026-01-01T00:00:00Z');
  const week = first + 7 * 86_400_000 + 1;
  expect(passedTimes({ cron: '0 0 * * *', timezone: 'UTC' }, first, week)).toEqual({
    last: first + 7 * 86_400_000,
    times: 8,
    next: first + 8 * 86_400_000,
  });
  const everySecond = { every_seconds: 1, from: new Date(first).toISOString() };
  expect(passedTimes(everySecond, first, week)).toEqual({ last: week - 1, times: 604_801, next: week + 999 });
  const many = passedTimes({ cron: '* * * * *', timezone: 'UTC' }, first, week);
  expect(many).toMatchObject({ times: 1_000, next: first + 7 * 86_400_000 + 60_000 });
});
