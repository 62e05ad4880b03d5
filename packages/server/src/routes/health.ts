import { type HealthView, healthView, type Luna } from '@luna/core/control';
import { defineRoute, type Route } from './contract.ts';

/** Whether Luna lives, and whether it is ready. Open to everyone; they tell nothing else. */
export function healthRoutes(luna: Luna): Route[] {
  const health = (): HealthView => ({
    status: luna.stopping ? 'stopping' : luna.ready ? 'ok' : 'starting',
    version: luna.version,
    uptimeSeconds: Math.round((Date.now() - luna.startedAt) / 1000),
  });
  const alive = ['/health', '/healthz', '/api/supervisor/health'].map((path) =>
    defineRoute({
      method: 'get',
      path,
      summary: 'Whether Luna lives',
      tag: 'state',
      access: 'open',
      answer: healthView,
      handle: health,
    }),
  );
  return [
    ...alive,
    defineRoute({
      method: 'get',
      path: '/readyz',
      summary: 'Whether every source has had its first attempt',
      tag: 'state',
      access: 'open',
      answer: healthView,
      otherStatuses: { 503: 'Not yet.' },
      handle(_input, ctx) {
        ctx.status = luna.ready ? 200 : 503;
        return health();
      },
    }),
  ];
}
