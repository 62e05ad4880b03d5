import type { ScheduleView } from '@luna/core/control';
import { expect, test } from 'vitest';
import { changeOf, type ScheduleForm, scheduleForm, scheduleOf, whenOf, whenText } from './schedule-form.ts';

const kept: ScheduleView = {
  id: '1',
  name: 'report',
  action: { tool: 'a', args: { b: 1 } },
  when: { every_seconds: 7_200, from: '2026-01-01T00:00:00Z' },
  enabled: true,
  missed: 'skip',
  overlap: 'queue',
  time_limit_seconds: 60,
  madeBy: { kind: 'ui' },
  running: 0,
  waiting: 0,
  createdAt: 0,
  updatedAt: 0,
};
const form = (change: Partial<ScheduleForm>): ScheduleForm => ({ ...scheduleForm('Europe/Berlin'), ...change });

test.each<[Partial<ScheduleForm>, ScheduleView['when'] | undefined]>([
  [{ cron: ' 0 9 * * * ' }, { cron: '0 9 * * *', timezone: 'Europe/Berlin' }],
  [{ cron: '@daily', timezone: '' }, { cron: '@daily' }],
  [{ cron: ' ' }, undefined],
  [
    { runs: 'at', at: '2030-06-01T18:00' },
    { at: '2030-06-01T18:00', timezone: 'Europe/Berlin' },
  ],
  [{ runs: 'at', at: '2030-06-01T18:00:00+02:00' }, { at: '2030-06-01T18:00:00+02:00' }],
  [{ runs: 'at', at: '' }, undefined],
  [{ runs: 'every', every: '2', unit: 'hours' }, { every_seconds: 7_200 }],
  [{ runs: 'every', every: '1.5', unit: 'hours' }, undefined],
])('%j runs at %j', (change, when) => {
  expect(whenOf(form(change))).toEqual(when);
});

test('a schedule that is opened and saved stays as it is, and its times are not sent', () => {
  const made = scheduleOf(scheduleForm('UTC', kept), kept);
  const { name, action, when, missed, overlap, time_limit_seconds } = kept;
  expect(made).toEqual({ schedule: { name, action, when, missed, overlap, time_limit_seconds } });
  if ('schedule' in made) expect(changeOf(made.schedule, kept)).not.toHaveProperty('when');
  const other = scheduleOf({ ...scheduleForm('UTC', kept), every: '3' }, kept);
  if ('schedule' in other) expect(changeOf(other.schedule, kept).when).toEqual({ ...when, every_seconds: 10_800 });
});

test('a new schedule leaves the rule for missed times to the server', () => {
  const made = scheduleOf(form({ name: 'n', does: 'agent', agent: 'helper', prompt: 'What is new?', args: '{' }));
  expect(made).toMatchObject({ schedule: { action: { agent: 'helper', prompt: 'What is new?' } } });
  expect(made).not.toHaveProperty('schedule.missed');
});

test('what cannot be sent is told', () => {
  expect(scheduleOf(form({ tool: 'a', args: '[1]' }))).toEqual({ wrong: expect.stringContaining('JSON object') });
  expect(scheduleOf(form({ tool: 'a', cron: '' }))).toEqual({ wrong: 'Say when it runs.' });
});

test.each<[ScheduleView['when'], string]>([
  [{ cron: '0 9 * * *', timezone: 'UTC' }, '0 9 * * * (UTC)'],
  [{ at: '2030-06-01T18:00', timezone: 'UTC' }, 'once, 2030-06-01 18:00 (UTC)'],
  [{ every_seconds: 86_400 }, 'every day'],
  [{ every_seconds: 90 }, 'every 90 seconds'],
  [{ every_seconds: 900 }, 'every 15 minutes'],
])('%j reads as %s', (when, text) => {
  expect(whenText(when)).toBe(text);
});

test('a hub and a preset are chosen, kept, and taken away', () => {
  const limited = { ...kept, hub: 'default', preset: 'reader' };
  const made = scheduleOf(scheduleForm('UTC', limited), limited);
  expect(made).toMatchObject({ schedule: { hub: 'default', preset: 'reader' } });
  const freed = scheduleOf({ ...scheduleForm('UTC', limited), hub: '' }, limited);
  if ('schedule' in freed) expect(changeOf(freed.schedule, limited)).toMatchObject({ hub: null, preset: 'reader' });
  const asked = scheduleOf({ ...scheduleForm('UTC', limited), does: 'agent', agent: 'a', prompt: 'b' }, limited);
  if ('schedule' in asked) expect(changeOf(asked.schedule, limited)).toMatchObject({ hub: 'default', preset: null });
});
