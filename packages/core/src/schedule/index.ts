export { type Clock, systemClock } from './clock.ts';
export {
  type NewSchedule,
  type ScheduleAction,
  type ScheduleChange,
  type ScheduleDefinition,
  type ScheduleWhen,
  scheduleAction,
  scheduleChange,
  scheduleDefinition,
  scheduleWhen,
} from './definition.ts';
export type { ScheduleLimits } from './limits.ts';
export type { RunSchedule, ScheduledRun } from './run-queue.ts';
export { hubBehind, type Schedule, type ScheduleMaker } from './schedule.ts';
export { Scheduler, type SchedulerOptions } from './scheduler.ts';
export { localTime, nextTime, nextTimes } from './times.ts';
export { type SchedulableAgent, type ScheduleOwner, ScheduleTools, type ScheduleToolsOptions } from './tools.ts';
export {
  type ScheduleEvent,
  type ScheduleRunView,
  type ScheduleTimesView,
  type ScheduleView,
  scheduleRunView,
  scheduleTimesView,
  scheduleView,
} from './views.ts';
