import type { ScheduleChange, ScheduleView } from '@luna/core/control';
import type { NewSchedule } from './api/schedules.ts';
import { readArguments } from './json-text.ts';

/** What the form of a schedule holds: texts as they are typed. */
export interface ScheduleForm {
  name: string;
  does: 'tool' | 'agent';
  tool: string;
  args: string;
  agent: string;
  prompt: string;
  /** Under which hub it calls, and with which preset. Empty: none. */
  hub: string;
  preset: string;
  runs: 'cron' | 'at' | 'every';
  cron: string;
  timezone: string;
  /** As `<input type="datetime-local">` gives it, or with an offset. */
  at: string;
  every: string;
  unit: IntervalUnit;
  /** Empty: what fits the times. */
  missed: '' | ScheduleView['missed'];
  overlap: ScheduleView['overlap'];
  timeLimit: string;
}

export type IntervalUnit = 'seconds' | 'minutes' | 'hours' | 'days';

const secondsOf: Readonly<Record<IntervalUnit, number>> = { days: 86_400, hours: 3_600, minutes: 60, seconds: 1 };

/** The form of a schedule that is there, or of a new one. */
export function scheduleForm(timezone: string, schedule?: ScheduleView): ScheduleForm {
  const { action, when } = schedule ?? { action: {}, when: { cron: '0 9 * * 1-5' } };
  return {
    name: schedule?.name ?? '',
    does: action.agent === undefined ? 'tool' : 'agent',
    tool: action.tool ?? '',
    args: action.args === undefined ? '' : JSON.stringify(action.args, null, 2),
    agent: action.agent ?? '',
    prompt: action.prompt ?? '',
    hub: schedule?.hub ?? '',
    preset: schedule?.preset ?? '',
    runs: when.every_seconds !== undefined ? 'every' : when.at !== undefined ? 'at' : 'cron',
    cron: when.cron ?? '',
    timezone: when.timezone ?? timezone,
    at: when.at ?? '',
    ...interval(when.every_seconds ?? 900),
    missed: schedule?.missed ?? '',
    overlap: schedule?.overlap ?? 'skip',
    timeLimit: String(schedule?.time_limit_seconds ?? 3_600),
  };
}

/**
 * When the form says that it runs; undefined while something is missing. An interval that is there keeps the moment
 * from which it counts.
 */
export function whenOf(form: ScheduleForm, schedule?: ScheduleView): ScheduleView['when'] | undefined {
  const { cron, at, every, unit } = form;
  const timezone = form.timezone.trim() === '' ? {} : { timezone: form.timezone.trim() };
  if (form.runs === 'cron') return cron.trim() === '' ? undefined : { cron: cron.trim(), ...timezone };
  if (form.runs === 'at') {
    const hasOffset = /(?:Z|[+-]\d\d:\d\d)$/.test(at.trim());
    return at.trim() === '' ? undefined : { at: at.trim(), ...(!hasOffset && timezone) };
  }
  if (!/^\d+$/.test(every.trim())) return undefined;
  const { from } = schedule?.when ?? {};
  return { every_seconds: Number(every) * secondsOf[unit], ...(from !== undefined && { from }) };
}

/** The schedule that the form describes, or what is `wrong`. */
export function scheduleOf(
  form: ScheduleForm,
  schedule?: ScheduleView,
): { schedule: NewSchedule } | { readonly wrong: string } {
  const when = whenOf(form, schedule);
  if (!when) return { wrong: 'Say when it runs.' };
  const action = actionOf(form);
  if ('wrong' in action) return action;
  const { overlap, hub, preset } = form;
  return {
    schedule: {
      name: form.name.trim(),
      action: action.action,
      when,
      ...(form.missed !== '' && { missed: form.missed }),
      overlap,
      time_limit_seconds: Number(form.timeLimit),
      ...(hub !== '' && { hub }),
      // An agent is asked with the tools of its own preset.
      ...(preset !== '' && form.does === 'tool' && { preset }),
    },
  };
}

/**
 * What is sent to change a schedule. Times that stay as they are are left out: one that has passed would be refused. A
 * hub or preset that it has no more is taken away.
 */
export function changeOf(made: NewSchedule, schedule: ScheduleView): ScheduleChange {
  const { when: wanted, ...others } = made;
  const { when, hub, preset } = schedule;
  const same = (Object.keys({ ...when, ...wanted }) as (keyof typeof when)[]).every((key) => when[key] === wanted[key]);
  return {
    ...others,
    ...(!same && { when: wanted }),
    ...(hub !== undefined && made.hub === undefined && { hub: null }),
    ...(preset !== undefined && made.preset === undefined && { preset: null }),
  };
}

/** When a schedule runs, in a few words. */
export function whenText({ cron, timezone, at, every_seconds }: ScheduleView['when']): string {
  const zone = timezone === undefined ? '' : ` (${timezone})`;
  if (cron !== undefined) return `${cron}${zone}`;
  if (at !== undefined) return `once, ${at.replace('T', ' ')}${zone}`;
  const { every, unit } = interval(every_seconds ?? 0);
  return every === '1' ? `every ${unit.slice(0, -1)}` : `every ${every} ${unit}`;
}

function actionOf(form: ScheduleForm): { action: ScheduleView['action'] } | { wrong: string } {
  if (form.does === 'agent') return { action: { agent: form.agent, prompt: form.prompt } };
  const read = readArguments(form.args);
  return 'wrong' in read ? read : { action: { tool: form.tool.trim(), args: read.args } };
}

function interval(seconds: number): { every: string; unit: IntervalUnit } {
  const units = Object.keys(secondsOf) as IntervalUnit[];
  const unit = units.find((one) => seconds % secondsOf[one] === 0) ?? 'seconds';
  return { every: String(seconds / secondsOf[unit]), unit };
}
