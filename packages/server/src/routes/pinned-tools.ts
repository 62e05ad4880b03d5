import Router from '@koa/router';
import type { Luna } from '@luna/core/control';
import type { Middleware } from 'koa';
import { z } from 'zod';
import { parseBody } from './parse-body.ts';

const decisionSchema = z.object({ server: z.string().min(1), tool: z.string().min(1).optional() });

/** Tools of MCP servers whose definitions changed, and the decision on them. */
export function pinnedToolRoutes(luna: Luna, guard: Middleware): Router {
  const router = new Router({ prefix: '/api/supervisor/pinned-tools', sensitive: true });
  router.use(guard);

  router.get('/', (ctx) => {
    ctx.body = { pending: luna.pinnedTools.pending() };
  });

  router.post('/approve', async (ctx) => {
    const { server, tool } = parseBody(ctx, decisionSchema);
    await luna.pinnedTools.approve(server, tool);
    ctx.body = { pending: luna.pinnedTools.pending() };
  });

  router.post('/reject', async (ctx) => {
    const { server, tool } = parseBody(ctx, decisionSchema);
    await luna.pinnedTools.reject(server, tool);
    ctx.body = { pending: luna.pinnedTools.pending() };
  });

  return router;
}
