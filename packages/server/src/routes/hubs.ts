import type { Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import type { Middleware } from 'koa';
import { bearerOf, unauthorized } from '../auth/guards.ts';

/** Hubs at /api/mcp-<name>, each behind its key. The hub itself answers on Node's request and response. */
export function hubRoutes(luna: Luna): Middleware {
  return async (ctx, next) => {
    const name = /^\/api\/mcp-([a-z0-9-]+)\/?$/.exec(ctx.path)?.[1];
    if (name === undefined) return next();
    const key = bearerOf(ctx);
    const running = key === undefined ? undefined : luna.hubs.open(name, key);
    // A hub that is not there answers as one whose key is wrong: its name stays unknown.
    if (!running) throw unauthorized(ctx, `The hub "${name}" wants its key: send "Authorization: Bearer <key>".`);
    if (!['POST', 'GET', 'DELETE'].includes(ctx.method))
      throw new LunaError('invalid_input', 'A hub takes POST, GET and DELETE.');
    ctx.respond = false;
    await running.http.handle(ctx.req, ctx.res, { owner: name });
  };
}
