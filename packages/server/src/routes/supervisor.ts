import Router from '@koa/router';
import { masterConfigJsonSchema } from '@luna/core/config';
import type { Luna } from '@luna/core/control';
import type { Middleware } from 'koa';
import { z } from 'zod';
import { bearerOf, personOf } from '../auth/guards.ts';
import type { SignInLinks } from '../auth/sign-in-links.ts';
import { requestIdOf } from '../log/request-id.ts';
import { parseBody } from './parse-body.ts';

const callBody = z.object({
  name: z.string(),
  args: z.record(z.string(), z.unknown()).optional(),
  hub: z.string().optional(),
  preset: z.string().optional(),
});

/** What Luna shows of itself and lets change, under /api/supervisor. */
export function supervisorRoutes(luna: Luna, links: SignInLinks, guard: Middleware): Router {
  const router = new Router({ prefix: '/api/supervisor', sensitive: true });
  router.use(guard);

  router.get('/status', async (ctx) => {
    ctx.body = await luna.status();
  });

  router.get('/tools/all', async (ctx) => {
    ctx.body = await luna.admin.tools();
  });

  /** The command-line plugins, with what they are as tools and what is wrong with them. */
  router.get('/plugins', async (ctx) => {
    const { sources } = await luna.admin.tools();
    ctx.body = { plugins: sources.filter(({ kind }) => kind === 'plugin') };
  });

  router.post('/tools/call', async (ctx) => {
    const call = parseBody(ctx, callBody);
    const abandoned = new AbortController();
    ctx.req.once('close', () => {
      if (!ctx.res.writableEnded) abandoned.abort();
    });
    const caller = bearerOf(ctx.headers) === undefined ? { kind: 'ui', name: personOf(ctx)?.name } : { kind: 'api' };
    ctx.body = await luna.admin.callTool({
      ...call,
      caller,
      signal: abandoned.signal,
      requestId: requestIdOf(ctx.req),
    });
  });

  router.get('/config/master', (ctx) => {
    ctx.set('ETag', luna.config.state.etag);
    ctx.body = luna.config.config;
  });

  router.put('/config/master', async (ctx) => {
    const ifMatch = ctx.get('if-match');
    const config = await luna.admin.replaceConfig(
      ctx.request.body,
      ifMatch === '' || ifMatch === '*' ? undefined : ifMatch,
    );
    ctx.set('ETag', luna.config.state.etag);
    ctx.body = config;
  });

  router.get('/config/schema', (ctx) => {
    ctx.body = masterConfigJsonSchema();
  });

  router.post('/sign-in-links', (ctx) => {
    ctx.status = 201;
    ctx.body = { url: `${luna.publicUrl}/sign-in#token=${links.make()}` };
  });

  router.post('/extensions/:name/:change', async (ctx, next) => {
    const { name = '', change } = ctx.params;
    if (change !== 'enable' && change !== 'disable') return next();
    ctx.body = await luna.admin.setExtensionEnabled(name, change === 'enable');
  });

  return router;
}
