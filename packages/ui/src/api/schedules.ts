import type { ScheduleChange, ScheduleRunView, ScheduleTimesView, ScheduleView } from '@luna/core/control';
import { useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { ask } from './client.ts';
import { keys } from './queries.ts';

/** A schedule to make. What is left out has its default at the server. */
export type NewSchedule = Pick<ScheduleView, 'name' | 'action' | 'when'> &
  Partial<Pick<ScheduleView, 'missed' | 'overlap' | 'time_limit_seconds' | 'hub' | 'preset'>>;

const root = '/api/supervisor/schedules';
const pathOf = (id: string) => `${root}/${encodeURIComponent(id)}`;

export const schedulesApi = {
  schedules: () => ask<{ schedules: ScheduleView[] }>('GET', root),
  create: (schedule: NewSchedule) => ask<ScheduleView>('POST', root, schedule),
  change: (id: string, change: ScheduleChange) => ask<ScheduleView>('PATCH', pathOf(id), change),
  remove: (id: string) => ask<void>('DELETE', pathOf(id)),
  /** Begins a run; it goes on when the answer is there. */
  run: (id: string) => ask<ScheduleRunView>('POST', `${pathOf(id)}/run`, {}),
  runs: (id: string) => ask<{ runs: ScheduleRunView[] }>('GET', `${pathOf(id)}/runs`),
  /** The next times that a schedule would have. */
  times: (when: ScheduleView['when'], signal?: AbortSignal) =>
    ask<ScheduleTimesView>('POST', `${root}/test`, { when }, signal),
  /** What a schedule can ask. */
  agents: () => ask<{ agents: { name: string; description?: string }[] }>('GET', `${root}/agents`),
};

export const useSchedules = () =>
  useQuery({ queryKey: keys.schedules, queryFn: schedulesApi.schedules, select: ({ schedules }) => schedules });
export const useScheduleRuns = (id: () => string) =>
  useQuery({
    queryKey: computed(() => [...keys.schedules, 'runs', id()]),
    queryFn: () => schedulesApi.runs(id()),
    select: ({ runs }) => runs,
  });
/** Under the presets, with which they change. */
export const useSchedulableAgents = () =>
  useQuery({
    queryKey: [...keys.presets, 'schedulable'],
    queryFn: schedulesApi.agents,
    select: ({ agents }) => agents,
  });
