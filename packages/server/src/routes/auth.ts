import Router from '@koa/router';
import { LunaError } from '@luna/core/errors';
import { type Account, Accounts, localAccountId, type Store } from '@luna/core/store';
import type { Context } from 'koa';
import { z } from 'zod';
import { signIn } from '../auth/browser-session.ts';
import type { GitHub } from '../auth/git-hub.ts';
import { assertSameOrigin, type Person, personOf, unauthorized } from '../auth/guards.ts';
import { nextPath } from '../auth/next-path.ts';
import type { SignInLinks } from '../auth/sign-in-links.ts';
import type { WrongKeys } from '../auth/wrong-keys.ts';
import type { PublicAddress } from '../public-address.ts';
import { parseBody } from './parse-body.ts';

export interface AuthRoutesOptions {
  readonly store: Store;
  readonly links: SignInLinks;
  readonly wrongKeys: WrongKeys;
  readonly gitHub: GitHub;
  readonly address: PublicAddress;
}

const nameAndPassword = z.object({ name: z.string().max(256), password: z.string().max(1024) });

/** Signing in by a link that works once, by name and password, or with GitHub; and out. */
export function authRoutes({ store, links, wrongKeys, gitHub, address }: AuthRoutesOptions): Router {
  const router = new Router({ prefix: '/auth', sensitive: true });
  const accounts = new Accounts(store);
  const callback = () => `${address.url}/auth/callback`;

  /** How people can sign in here. */
  router.get('/methods', async (ctx) => {
    const github = await gitHub.isConfigured();
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { github, password: !github && (await accounts.hasPassword()) };
  });

  router.get('/login', async (ctx) => {
    const next = nextPath(ctx.query.next);
    if (!(await gitHub.isConfigured())) {
      ctx.redirect(`/sign-in${next === '/' ? '' : `?next=${encodeURIComponent(next)}`}`);
      return;
    }
    // What is begun at one name of this machine cannot be finished at another: the cookie stays behind.
    if (ctx.get('host') !== address.host && ctx.query.again === undefined) {
      ctx.redirect(`${address.url}/auth/login?again&next=${encodeURIComponent(next)}`);
      return;
    }
    if (ctx.session) ctx.session.next = next;
    await gitHub.begin(ctx, callback());
  });

  router.get('/callback', async (ctx) => {
    const next = nextPath(ctx.session?.next);
    const account = await gitHub.finish(ctx, callback());
    await accounts.remember(account);
    await enter(ctx, account);
    ctx.redirect(next);
  });

  router.post('/login', async (ctx) => {
    assertSameOrigin(ctx);
    const { name, password } = parseBody(ctx, nameAndPassword);
    if (await gitHub.isConfigured()) throw new LunaError('forbidden', 'People sign in to this Luna with GitHub.');
    // Asked before as well: to try a password costs this machine more than whoever guesses.
    await wrongKeys.assertMayTry(ctx.req);
    const account = await accounts.byPassword(name, password);
    if (!account) {
      await wrongKeys.note(ctx.req, password);
      throw new LunaError('unauthorized', 'The name or the password is wrong.');
    }
    await enter(ctx, account);
    ctx.status = 204;
  });

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
    const local = (await accounts.get(localAccountId)) ?? { id: localAccountId, name: 'admin' };
    await accounts.remember(local);
    await enter(ctx, local);
    ctx.status = 204;
  });

  /** Gives the local account its name and password. Whoever is signed in as it may. */
  router.put('/password', async (ctx) => {
    assertSameOrigin(ctx);
    const person = signedIn(ctx);
    if (person.account !== localAccountId) {
      throw new LunaError('forbidden', 'You sign in with GitHub; there is no password to be set.');
    }
    const { name, password } = parseBody(ctx, nameAndPassword);
    await accounts.setPassword(name, password);
    await enter(ctx, { id: localAccountId, name });
    ctx.status = 204;
  });

  router.get('/me', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const person = signedIn(ctx);
    ctx.body = { ...person, hasPassword: person.account === localAccountId && (await accounts.hasPassword()) };
  });

  router.post('/logout', (ctx) => {
    assertSameOrigin(ctx);
    ctx.session = null;
    ctx.status = 204;
  });

  return router;
}

function signedIn(ctx: Context): Person {
  const person = personOf(ctx);
  if (!person) throw unauthorized(ctx, 'Nobody is signed in.');
  return person;
}

function enter(ctx: Context, { id, name }: Account): Promise<void> {
  return signIn(ctx, { account: id, name, role: 'admin' });
}
