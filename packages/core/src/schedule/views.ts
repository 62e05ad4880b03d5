import { z } from 'zod';
import type { ScheduleRunOrigin, ScheduleRunStatus } from '../store/index.ts';
import { scheduleAction, scheduleWhen } from './definition.ts';

/** What schedules show of themselves. Times are milliseconds since the epoch. */

const origins = ['time', 'catch_up', 'manual'] as const satisfies readonly ScheduleRunOrigin[];
const statuses = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'interrupted',
  'missed',
  'skipped',
] as const satisfies readonly ScheduleRunStatus[];

export const scheduleRunView = z.object({
  id: z.string(),
  schedule: z.string().describe('The name of the schedule.'),
  scheduleId: z.string(),
  origin: z.enum(origins).describe('Its time came, times that were missed are made up for, or somebody asked.'),
  status: z.enum(statuses).describe('interrupted: Luna ended meanwhile. missed, skipped: these times did not happen.'),
  dueAt: z.number().optional().describe('The time that it was due at; of several the last.'),
  times: z.number().describe('How many times of the schedule it stands for.'),
  createdAt: z.number(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  result: z.string().optional().describe('What the tool or the agent answered, shortened.'),
  errorCode: z.string().optional(),
  errorMessage: z.string().optional(),
});

export const scheduleView = z.object({
  id: z.string(),
  name: z.string(),
  action: scheduleAction,
  when: scheduleWhen,
  enabled: z.boolean(),
  missed: z.enum(['skip', 'run_once']),
  overlap: z.enum(['skip', 'queue', 'parallel']),
  time_limit_seconds: z.number(),
  hub: z.string().optional(),
  preset: z.string().optional(),
  madeBy: z
    .object({ kind: z.string(), name: z.string().optional() })
    .describe('Who made it. One that was made through a hub always runs under that hub.'),
  nextAt: z.number().optional().describe('When it runs next. Missing: not any more, or it is off.'),
  next: z.string().optional().describe('The same, as clocks of its time zone show it.'),
  running: z.number().describe('Runs under way.'),
  waiting: z.number().describe('Runs that wait for their turn.'),
  lastRun: scheduleRunView.optional(),
  createdAt: z.number(),
  updatedAt: z.number(),
});

/** The next times of a definition. */
export const scheduleTimesView = z.object({
  times: z.array(
    z.object({ at: z.number(), local: z.string().describe('The time in the time zone, with its offset.') }),
  ),
});

export type ScheduleView = z.infer<typeof scheduleView>;
export type ScheduleRunView = z.infer<typeof scheduleRunView>;
export type ScheduleTimesView = z.infer<typeof scheduleTimesView>;

/** What schedules tell of. */
export type ScheduleEvent =
  | { readonly type: 'schedules.changed' }
  | { readonly type: 'schedule.ran'; readonly run: ScheduleRunView };
