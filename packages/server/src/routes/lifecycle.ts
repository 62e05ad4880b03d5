import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

/** What the server that runs this can do to itself. */
export interface Lifecycle {
  /**
   * Ends in order. With `restart`, whoever started it starts it again; with `update`, switches to the Luna that was made
   * beside it first. Returns at once.
   */
  end(how: 'shutdown' | 'restart' | 'update'): void;
  /** Whether somebody is there who would start it again. */
  readonly canRestart: boolean;
}

/** Ending and restarting Luna. Without a lifecycle it can do neither. `canUpdate`: whether the queue can update it. */
export function lifecycleRoutes(lifecycle: Lifecycle | undefined, canUpdate: boolean): Route[] {
  const common = { tag: 'supervisor', access: 'admin' } as const;
  const end = (how: 'shutdown' | 'restart', summary: string, { end: begin }: Lifecycle) =>
    defineRoute({
      ...common,
      method: 'post',
      path: `/api/supervisor/${how}`,
      summary,
      answer: z.object({ status: z.literal('ending') }),
      status: 202,
      handle: (_input, ctx) => {
        // First this answer, then the end.
        ctx.res.once('finish', () => begin(how));
        return { status: 'ending' as const };
      },
    });
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: '/api/supervisor/lifecycle',
      summary: 'Whether this Luna can be ended and restarted over its API.',
      answer: z.object({
        canShutDown: z.boolean(),
        canRestart: z.boolean().describe('Whether somebody is there who would start it again.'),
        canUpdate: z.boolean().describe('Whether the operation `update_core` of the queue can be tried.'),
      }),
      handle: () => ({ canShutDown: lifecycle !== undefined, canRestart: lifecycle?.canRestart ?? false, canUpdate }),
    }),
    ...(lifecycle ? [end('shutdown', 'Ends Luna and everything that it runs.', lifecycle)] : []),
    ...(lifecycle?.canRestart
      ? [end('restart', 'Ends Luna and starts it again; sessions of browsers stay.', lifecycle)]
      : []),
  ];
}
