import { keysEqual } from '@luna/core/control';
import type { Middleware } from 'koa';
import { bearerOf } from '../auth/guards.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { defineRoute, type Route } from './contract.ts';

/** Opens the figures, and nothing else. */
export const metricsTokenName = 'METRICS_TOKEN';

/** The figures of Luna, for Prometheus. */
export function metricsRoutes(metrics: Metrics): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/metrics',
      summary: 'Figures for Prometheus',
      description: `Opened by ${metricsTokenName} too.`,
      tag: 'operation',
      access: 'admin',
      media: 'text/plain',
      handle: async (_input, ctx) => {
        const text = await metrics.text();
        ctx.set({ 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' });
        ctx.body = text;
        return undefined;
      },
    }),
  ];
}

/** Lets those pass who have the token of the figures, and whom the guard lets pass. */
export function metricsGuard(token: () => Promise<string | undefined>, guard: Middleware): Middleware {
  return async (ctx, next) => {
    const given = bearerOf(ctx.headers);
    const expected = given === undefined ? undefined : await token();
    if (given !== undefined && expected && keysEqual(given, expected)) return next();
    return guard(ctx, next);
  };
}
