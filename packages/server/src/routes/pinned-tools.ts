import Router from '@koa/router';
import type { Luna } from '@luna/core/control';
import type { Middleware } from 'koa';
import { z } from 'zod';
import { parseBody } from './parse-body.ts';

const server = z.string().min(1);
const tool = z.string().min(1);
const digest = z
  .string({ error: 'is missing. Look at what waits (GET /pinned-tools) and send its digest along' })
  .min(1);
const approvedSchema = z.preprocess(
  oneAsList,
  z.object({ server, tools: z.array(z.object({ tool, digest })).min(1).max(10_000) }),
);
const rejectedSchema = z.object({ server, tool: tool.optional() });

/** Tools of MCP servers whose definitions changed, and the decision on them. */
export function pinnedToolRoutes(luna: Luna, guard: Middleware): Router {
  const router = new Router({ prefix: '/api/supervisor/pinned-tools', sensitive: true });
  router.use(guard);

  router.get('/', (ctx) => {
    ctx.body = { pending: luna.pinnedTools.pending() };
  });

  router.post('/approve', async (ctx) => {
    const { server, tools } = parseBody(ctx, approvedSchema);
    await luna.pinnedTools.approve(server, tools);
    ctx.body = { pending: luna.pinnedTools.pending() };
  });

  router.post('/reject', async (ctx) => {
    const { server, tool } = parseBody(ctx, rejectedSchema);
    await luna.pinnedTools.reject(server, tool);
    ctx.body = { pending: luna.pinnedTools.pending() };
  });

  return router;
}

/** `{ server, tool, digest }` stands for a list of one. */
function oneAsList(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || 'tools' in body) return body;
  const { tool: named, digest: seen, ...rest } = body as Record<string, unknown>;
  return named === undefined ? body : { ...rest, tools: [{ tool: named, digest: seen }] };
}
