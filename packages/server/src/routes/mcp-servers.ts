import Router from '@koa/router';
import { hubToolConfig } from '@luna/core/config';
import type { Luna } from '@luna/core/control';
import type { Middleware } from 'koa';
import { z } from 'zod';
import { clientSetups } from '../client-setups.ts';
import { parseBody } from './parse-body.ts';

const newBody = z.object({ name: z.string(), show_key: z.boolean().optional() });
const changeBody = z.object({
  name: z.string().optional(),
  rate_limit: z.object({ calls_per_minute: z.int().positive() }).nullable().optional(),
  all_tools: z.boolean().optional(),
  enabled: z.boolean().optional(),
  tool_config: z.record(z.string(), hubToolConfig.nullable()).optional(),
});

/** Hubs: list, create, change, delete, give another key. */
export function mcpServerRoutes(luna: Luna, guard: Middleware): Router {
  const router = new Router({ prefix: '/api/supervisor/mcp-servers', sensitive: true });
  router.use(guard);

  router.get('/', (ctx) => {
    ctx.body = { servers: luna.admin.hubs() };
  });

  router.post('/', async (ctx) => {
    const { name, show_key } = parseBody(ctx, newBody);
    ctx.body = await luna.admin.createHub(name, { showKey: show_key });
    ctx.status = 201;
  });

  router.get('/:name/clients', (ctx) => {
    const hub = luna.admin.hub(ctx.params.name ?? '');
    ctx.body = { clients: clientSetups(hub, luna.paths.root) };
  });

  router.patch('/:name', async (ctx) => {
    ctx.body = await luna.admin.changeHub(ctx.params.name ?? '', parseBody(ctx, changeBody));
  });

  router.delete('/:name', async (ctx) => {
    await luna.admin.deleteHub(ctx.params.name ?? '');
    ctx.status = 204;
  });

  router.post('/:name/regenerate-key', async (ctx) => {
    ctx.body = await luna.admin.regenerateHubKey(ctx.params.name ?? '');
  });

  return router;
}
