import Router from '@koa/router';
import type { HealthView, Luna } from '@luna/core/control';

/** Whether Luna lives, and whether it is ready. Open to everyone; they tell nothing else. */
export function healthRoutes(luna: Luna): Router {
  const router = new Router({ sensitive: true });
  const health = (): HealthView => ({
    status: luna.stopping ? 'stopping' : luna.ready ? 'ok' : 'starting',
    version: luna.version,
    uptimeSeconds: Math.round((Date.now() - luna.startedAt) / 1000),
  });
  router.get(['/health', '/healthz', '/api/supervisor/health'], (ctx) => {
    ctx.body = health();
  });
  router.get('/readyz', (ctx) => {
    ctx.status = luna.ready ? 200 : 503;
    ctx.body = health();
  });
  return router;
}
