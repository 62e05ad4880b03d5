import type { Luna } from '@luna/core/control';
import { currentQueueView, updatePlan, updateQueueView } from '@luna/core/updates';
import { defineRoute, type Route } from './contract.ts';

const root = '/api/supervisor/queue';

/** What waits to be installed, updated and deleted. */
export function updateQueueRoutes(luna: Luna): Route[] {
  const common = { tag: 'queue', access: 'admin' } as const;
  return [
    defineRoute({
      ...common,
      method: 'post',
      path: `${root}/save`,
      summary: 'Makes this the update queue. Nothing is done yet.',
      body: updatePlan,
      answer: updateQueueView,
      handle: ({ body }) => luna.updates.save(body),
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: `${root}/current`,
      summary: 'What waits or is being done, and what became of the queue before.',
      answer: currentQueueView,
      handle: () => luna.updates.current(),
    }),
    defineRoute({
      ...common,
      method: 'delete',
      path: `${root}/current`,
      summary: 'Lets go of the queue. What has been done stays done.',
      handle: async () => {
        await luna.updates.discard();
        return undefined;
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${root}/apply`,
      summary: 'Begins to apply the queue.',
      description: 'How it goes is told by `queue.progress` and `queue.changed` of the event stream.',
      status: 202,
      answer: updateQueueView,
      handle: () => luna.updates.apply(),
    }),
  ];
}
