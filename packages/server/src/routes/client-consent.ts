import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import type { Luna } from '@luna/core/control';
import { toLunaError } from '@luna/core/errors';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { assertSameOrigin, personOf } from '../auth/guards.ts';
import type { AuthorizationServer } from '../auth/oauth/authorization-server.ts';
import { ClientConsent } from '../auth/oauth/client-consent.ts';
import { consentPath } from '../auth/oauth/names.ts';
import { toHttpError } from '../http-errors.ts';
import { consentPage } from '../pages/consent-page.ts';
import { errorPage } from '../pages/error-page.ts';
import { pageHeaders, style, stylePath } from '../pages/page.ts';
import type { PublicAddress } from '../public-address.ts';

const decisionSchema = z.object({ decision: z.enum(['allow', 'deny']) });

/** The page on which a person lets an MCP client in. */
export function clientConsentRoutes(luna: Luna, server: AuthorizationServer, address: PublicAddress): Router {
  const router = new Router({ sensitive: true });
  const consent = new ClientConsent(server, luna.store);
  const asPage = pageFor(address);

  router.get(stylePath, (ctx) => {
    ctx.type = 'css';
    ctx.set('Cache-Control', 'max-age=3600');
    ctx.body = style;
  });

  router.get(`${consentPath}/:id`, asPage, async (ctx) => {
    const person = personOf(ctx);
    if (!person) {
      ctx.redirect(`/auth/login?next=${encodeURIComponent(ctx.path)}`);
      return;
    }
    const asked = await consent.pending(ctx.req, ctx.res);
    // Only who is signed in was not known yet; the decision was made before.
    if (await consent.isKnown(person.account, asked)) {
      ctx.redirect(await consent.allow(ctx.req, ctx.res, person.account));
      return;
    }
    const hub = luna.admin.hub('main');
    ctx.body = consentPage({ ...asked, personName: person.name, toolCount: hub.toolCount }, address.basePath);
  });

  router.post(`${consentPath}/:id`, asPage, bodyParser({ enableTypes: ['form'] }), async (ctx) => {
    assertSameOrigin(ctx);
    const person = personOf(ctx);
    if (!person) {
      ctx.redirect(`/auth/login?next=${encodeURIComponent(ctx.path)}`);
      return;
    }
    const { decision } = decisionSchema.parse(ctx.request.body);
    const goOn =
      decision === 'allow'
        ? await consent.allow(ctx.req, ctx.res, person.account)
        : await consent.deny(ctx.req, ctx.res);
    if (decision === 'allow') luna.announce({ type: 'oauth-clients.changed' });
    ctx.status = 303;
    ctx.redirect(goOn);
  });

  return router;
}

/** What goes wrong is told on a page, to whoever looks at it. */
const pageFor =
  (address: PublicAddress): Middleware =>
  async (ctx: Context, next) => {
    ctx.set({ ...pageHeaders });
    try {
      await next();
    } catch (thrown) {
      const { status, body } = toHttpError(thrown instanceof z.ZodError ? undefined : toLunaError(thrown));
      ctx.status = thrown instanceof z.ZodError ? 400 : status;
      ctx.body = errorPage(
        thrown instanceof z.ZodError ? 'The form was not filled in as it should be' : body.error.message,
        address.basePath,
      );
    }
  };
