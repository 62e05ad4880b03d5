import Router from '@koa/router';
import { parseJsonText } from '@luna/core/config';
import type { Luna } from '@luna/core/control';
import { LunaError, messageOf } from '@luna/core/errors';
import type { Middleware } from 'koa';
import { z } from 'zod';
import { parseBody } from './parse-body.ts';

const strings = z.record(z.string(), z.string());
const newServerBody = z.object({
  id: z.string().optional(),
  title: z.string().optional(),
  url: z.string().optional(),
  transport: z.enum(['stdio', 'http', 'sse']).optional(),
  headers: strings.optional(),
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: strings.optional(),
  cwd: z.string().optional(),
  allow_private_network: z.boolean().optional(),
  oauth: z
    .object({
      client_id: z.string().optional(),
      client_secret: z.string().optional(),
      scope: z.string().optional(),
    })
    .optional(),
  timeout_seconds: z.number().optional(),
});

const changeBody = z.object({ enabled: z.boolean().optional(), allow_private_network: z.boolean().optional() });

/** MCP servers whose tools Luna serves: list, add, import, switch, remove. */
export function remoteMcpRoutes(luna: Luna, guard: Middleware): Router {
  const router = new Router({ prefix: '/api/supervisor/remote-mcp', sensitive: true });
  router.use(guard);

  router.get('/list', (ctx) => {
    ctx.body = { servers: luna.admin.remoteServers() };
  });

  router.post('/add', async (ctx) => {
    ctx.body = await luna.admin.addRemoteServer(parseBody(ctx, newServerBody));
    ctx.status = 201;
  });

  router.post('/import', async (ctx) => {
    // Pasted text may have comments, as files of VS Code do, which no JSON body can.
    const pasted = z.strictObject({ text: z.string() }).safeParse(ctx.request.body).data;
    const document = pasted ? parsePasted(pasted.text) : ctx.request.body;
    ctx.body = await luna.admin.importServers(document);
  });

  router.post('/:id/test', async (ctx) => {
    ctx.body = await luna.admin.testRemoteServer(ctx.params.id ?? '');
  });

  router.patch('/:id', async (ctx) => {
    ctx.body = await luna.admin.changeRemoteServer(ctx.params.id ?? '', parseBody(ctx, changeBody));
  });

  router.delete('/:id', async (ctx) => {
    await luna.admin.removeRemoteServer(ctx.params.id ?? '');
    ctx.status = 204;
  });

  return router;
}

function parsePasted(text: string): unknown {
  try {
    return parseJsonText(text, z.unknown(), 'the text');
  } catch (thrown) {
    throw new LunaError('invalid_input', messageOf(thrown), { cause: thrown });
  }
}
