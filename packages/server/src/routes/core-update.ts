import { z } from 'zod';
import type { CoreUpdater } from '../core-update/index.ts';
import { coreChangeView } from '../core-update/views.ts';
import { defineRoute, type Route } from './contract.ts';

/** What an update of Luna itself would bring. It is done by the update queue. */
export function coreUpdateRoutes(updater: CoreUpdater): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/supervisor/core/inspect',
      summary: 'What an update of Luna itself would bring. Nothing of it is run.',
      description: 'The operation `update_core` of the queue does it; give it `exact` as its version.',
      tag: 'queue',
      access: 'admin',
      body: z.object({
        version: z.string().min(1).max(100).optional().describe('As in `update_core`. Default: the newest.'),
      }),
      answer: coreChangeView,
      handle: ({ body }) => updater.inspect(body.version),
    }),
  ];
}
