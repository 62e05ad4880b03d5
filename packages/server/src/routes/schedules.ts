import {
  type Luna,
  scheduleChange,
  scheduleDefinition,
  scheduleRunView,
  scheduleTimesView,
  scheduleView,
  scheduleWhen,
} from '@luna/core/control';
import { z } from 'zod';
import { bearerOf, personOf } from '../auth/guards.ts';
import { defineRoute, type Route } from './contract.ts';

const one = z.object({ id: z.string().min(1).describe('The id or the name of the schedule.') });
const shared = { tag: 'schedules', access: 'admin' } as const;

/** What runs at times. */
export function scheduleRoutes(luna: Luna): Route[] {
  const { schedules } = luna;
  return [
    defineRoute({
      ...shared,
      method: 'get',
      path: '/api/supervisor/schedules',
      summary: 'Lists the schedules, the oldest first.',
      answer: z.object({ schedules: z.array(scheduleView) }),
      handle: () => ({ schedules: schedules.list() }),
    }),
    defineRoute({
      ...shared,
      method: 'post',
      path: '/api/supervisor/schedules',
      summary: 'Makes a schedule.',
      body: scheduleDefinition,
      answer: scheduleView,
      status: 201,
      handle: ({ body }, ctx) => {
        const maker = bearerOf(ctx.headers) === undefined ? { kind: 'ui', name: personOf(ctx)?.name } : { kind: 'api' };
        return schedules.add(body, maker);
      },
    }),
    defineRoute({
      ...shared,
      method: 'post',
      path: '/api/supervisor/schedules/test',
      summary: 'Says the next five times that a schedule would have, and makes none.',
      body: z.object({ when: scheduleWhen }),
      answer: scheduleTimesView,
      handle: ({ body }) => schedules.test(body.when),
    }),
    defineRoute({
      ...shared,
      method: 'get',
      path: '/api/supervisor/schedules/agents',
      summary: 'Lists the agents and presets that a schedule can ask.',
      answer: z.object({ agents: z.array(z.object({ name: z.string(), description: z.string().optional() })) }),
      handle: async () => ({ agents: [...(await luna.schedulableAgents())] }),
    }),
    defineRoute({
      ...shared,
      method: 'get',
      path: '/api/supervisor/schedules/{id}',
      summary: 'Shows a schedule.',
      params: one,
      answer: scheduleView,
      handle: ({ params }) => schedules.get(params.id),
    }),
    defineRoute({
      ...shared,
      method: 'patch',
      path: '/api/supervisor/schedules/{id}',
      summary: 'Changes what is named of a schedule. A run under way goes on as it began.',
      params: one,
      body: scheduleChange,
      answer: scheduleView,
      handle: ({ params, body }) => schedules.change(params.id, body),
    }),
    defineRoute({
      ...shared,
      method: 'delete',
      path: '/api/supervisor/schedules/{id}',
      summary: 'Deletes a schedule with its history, and ends its run.',
      params: one,
      handle: async ({ params }) => {
        await schedules.remove(params.id);
        return undefined;
      },
    }),
    defineRoute({
      ...shared,
      method: 'post',
      path: '/api/supervisor/schedules/{id}/run',
      summary: 'Runs a schedule now, whatever its times.',
      description: 'With "wait" the answer comes when the run has ended. The run goes on if nobody waits any more.',
      params: one,
      body: z.object({ wait: z.boolean().default(false) }),
      answer: scheduleRunView,
      handle: ({ params, body }) => schedules.run(params.id, body),
    }),
    defineRoute({
      ...shared,
      method: 'get',
      path: '/api/supervisor/schedules/{id}/runs',
      summary: 'What a schedule has done, the latest first.',
      params: one,
      query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(100) }),
      answer: z.object({ runs: z.array(scheduleRunView) }),
      handle: async ({ params, query }) => ({ runs: await schedules.runs(params.id, query.limit) }),
    }),
  ];
}
