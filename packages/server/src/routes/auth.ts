import Router from '@koa/router';
import { LunaError } from '@luna/core/errors';
import { z } from 'zod';
import { assertSameOrigin, type Person, personOf } from '../auth/guards.ts';
import type { SignInLinks } from '../auth/sign-in-links.ts';
import type { WrongKeys } from '../auth/wrong-keys.ts';
import { parseBody } from './parse-body.ts';

/** Signing in by a link that works once, and out. */
export function authRoutes(links: SignInLinks, wrongKeys: WrongKeys): Router {
  const router = new Router({ prefix: '/auth', sensitive: true });

  router.post('/once', async (ctx) => {
    assertSameOrigin(ctx);
    const { token } = parseBody(ctx, z.object({ token: z.string() }));
    if (!links.use(token)) {
      await wrongKeys.note(ctx.req, token);
      throw new LunaError(
        'unauthorized',
        'This link was used already or is too old. Run "npx luna link" in your home for a new one.',
      );
    }
    const person: Person = { name: 'admin', role: 'admin' };
    // Another session, not the one that was there before: nobody can have planted it.
    ctx.session = { person };
    ctx.status = 204;
  });

  router.get('/me', (ctx) => {
    const person = personOf(ctx);
    if (!person) throw new LunaError('unauthorized', 'Nobody is signed in.');
    ctx.body = person;
  });

  router.post('/logout', (ctx) => {
    assertSameOrigin(ctx);
    ctx.session = null;
    ctx.status = 204;
  });

  return router;
}
