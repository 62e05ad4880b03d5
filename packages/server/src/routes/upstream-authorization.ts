import { randomBytes } from 'node:crypto';
import Router from '@koa/router';
import type { Luna } from '@luna/core/control';
import { toLunaError } from '@luna/core/errors';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { bearerOf, personOf } from '../auth/guards.ts';
import { toHttpError } from '../http-errors.ts';

/** Where authorization servers send people back to. */
export const upstreamCallbackPath = '/auth/upstream/callback';

/** Who holds the token of a home may finish in any browser what they began in a terminal. */
const terminal = 'terminal';
const text = z.string().max(4096).optional();
const answerSchema = z.object({ state: z.string().min(1).max(512), code: text, iss: text, error: text });

/** Authorizing Luna at MCP servers: begin, come back from the browser, take back. */
export function upstreamAuthorizationRoutes(luna: Luna, guard: Middleware): Router {
  const router = new Router({ sensitive: true });

  router.post('/api/supervisor/remote-mcp/:id/authorize', guard, async (ctx) => {
    const bySession = bearerOf(ctx.headers) === undefined;
    // The guard has checked that the origin is ours; it is how this browser reaches Luna, proxies and all.
    const base = bySession ? ctx.get('origin') : luna.publicUrl;
    const owner = bySession ? sessionOwner(ctx) : terminal;
    ctx.body = { url: await luna.authorizations.begin(ctx.params.id ?? '', `${base}${upstreamCallbackPath}`, owner) };
  });

  router.delete('/api/supervisor/remote-mcp/:id/authorize', guard, async (ctx) => {
    await luna.authorizations.disconnect(ctx.params.id ?? '');
    ctx.status = 204;
  });

  router.get(upstreamCallbackPath, async (ctx) => {
    ctx.set({ 'Cache-Control': 'no-store' });
    try {
      const answer = answerSchema.parse({ ...ctx.query });
      const mine = personOf(ctx) ? knownOwner(ctx) : undefined;
      const { server } = await luna.authorizations.finish(answer, mine === undefined ? [terminal] : [mine, terminal]);
      if (mine !== undefined) ctx.redirect('/sources');
      else ctx.body = `Luna is authorized at "${server}". You can close this page.\n`;
    } catch (thrown) {
      const error = thrown instanceof z.ZodError ? undefined : toLunaError(thrown);
      const { status, body } = toHttpError(error);
      ctx.status = error ? status : 400;
      // Plain text: whatever an authorization server sent with the person is not read as a page.
      ctx.body = error ? `${body.error.message}\n` : 'This is not how an authorization server sends people back.\n';
    }
  });

  return router;
}

/** Binds an authorization to the browser session that begins it. */
function sessionOwner(ctx: Context): string {
  const known = knownOwner(ctx);
  if (known !== undefined) return known;
  const mark = randomBytes(16).toString('base64url');
  if (ctx.session) ctx.session.upstream = mark;
  return `session:${mark}`;
}

function knownOwner(ctx: Context): string | undefined {
  const mark: unknown = ctx.session?.upstream;
  return typeof mark === 'string' ? `session:${mark}` : undefined;
}
