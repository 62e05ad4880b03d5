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

/** Ending and restarting Luna. */
export function lifecycleRoutes(lifecycle: Lifecycle): Route[] {
  const end = (how: 'shutdown' | 'restart', summary: string) =>
    defineRoute({
      method: 'post',
      path: `/api/supervisor/${how}`,
      summary,
      tag: 'supervisor',
      access: 'admin',
      answer: z.object({ status: z.literal('ending') }),
      status: 202,
      handle: (_input, ctx) => {
        // First this answer, then the end.
        ctx.res.once('finish', () => lifecycle.end(how));
        return { status: 'ending' as const };
      },
    });
  return [
    end('shutdown', 'Ends Luna and everything that it runs.'),
    ...(lifecycle.canRestart ? [end('restart', 'Ends Luna and starts it again; sessions of browsers stay.')] : []),
  ];
}
