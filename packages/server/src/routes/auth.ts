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
import { defineRoute, type Route } from './contract.ts';

export interface AuthRoutesOptions {
  readonly store: Store;
  readonly links: SignInLinks;
  readonly wrongKeys: WrongKeys;
  readonly gitHub: GitHub;
  readonly address: PublicAddress;
}

const nameAndPassword = z.object({ name: z.string().max(256), password: z.string().max(1024) });
const oneTimeToken = z.object({ token: z.string() });
const personView = z.object({
  account: z.string(),
  name: z.string(),
  role: z.literal('admin'),
  hasPassword: z.boolean().describe('Whether the account that is signed in has a password.'),
});

/** Signing in by a link that works once, by name and password, or with GitHub; and out. */
export function authRoutes(options: AuthRoutesOptions): Route[] {
  const { store, links, wrongKeys } = options;
  const accounts = new Accounts(store);
  const common = { tag: 'sign-in', access: 'open' } as const;
  return [
    ...withProvider(options, accounts),
    defineRoute({
      ...common,
      method: 'post',
      path: '/auth/once',
      summary: 'Sign in with the token of a link, which is then used up',
      body: oneTimeToken,
      async handle({ body: { token } }, ctx) {
        assertSameOrigin(ctx);
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
        return undefined;
      },
    }),
    defineRoute({
      ...common,
      method: 'put',
      path: '/auth/password',
      summary: 'Give the owner, who is signed in, a name and a password',
      body: nameAndPassword,
      async handle({ body: { name, password } }, ctx) {
        assertSameOrigin(ctx);
        const person = signedIn(ctx);
        if (person.account !== localAccountId) {
          throw new LunaError('forbidden', 'You sign in with GitHub; there is no password to be set.');
        }
        await accounts.setPassword(name, password);
        await enter(ctx, { id: localAccountId, name });
        return undefined;
      },
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: '/auth/me',
      summary: 'Who is signed in',
      answer: personView,
      async handle(_input, ctx) {
        ctx.set('Cache-Control', 'no-store');
        const person = signedIn(ctx);
        return { ...person, hasPassword: person.account === localAccountId && (await accounts.hasPassword()) };
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: '/auth/logout',
      summary: 'Sign out',
      handle(_input, ctx) {
        assertSameOrigin(ctx);
        ctx.session = null;
        return undefined;
      },
    }),
  ];
}

/** By name and password, and with GitHub: where the one is, the other is not. */
function withProvider({ gitHub, wrongKeys, address }: AuthRoutesOptions, accounts: Accounts): Route[] {
  const callback = () => `${address.url}/auth/callback`;
  const common = { tag: 'sign-in', access: 'open' } as const;
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: '/auth/methods',
      summary: 'How people can sign in, beside by a link',
      answer: z.object({ github: z.boolean(), password: z.boolean() }),
      async handle(_input, ctx) {
        const github = await gitHub.isConfigured();
        ctx.set('Cache-Control', 'no-store');
        return { github, password: !github && (await accounts.hasPassword()) };
      },
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: '/auth/login',
      summary: 'Lead to GitHub, or to the sign-in page',
      description: '`next` in the query is the path to go on to afterwards.',
      status: 302,
      async handle(_input, ctx) {
        const next = nextPath(ctx.query.next);
        if (!(await gitHub.isConfigured())) {
          ctx.redirect(`/sign-in${next === '/' ? '' : `?next=${encodeURIComponent(next)}`}`);
          return undefined;
        }
        // What is begun at one name of this machine cannot be finished at another: the cookie stays behind.
        if (ctx.get('host') !== address.host && ctx.query.again === undefined) {
          ctx.redirect(`${address.url}/auth/login?again&next=${encodeURIComponent(next)}`);
          return undefined;
        }
        if (ctx.session) ctx.session.next = next;
        await gitHub.begin(ctx, callback());
        return undefined;
      },
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: '/auth/callback',
      summary: 'Where GitHub sends people back to',
      status: 302,
      async handle(_input, ctx) {
        const next = nextPath(ctx.session?.next);
        const account = await gitHub.finish(ctx, callback());
        await accounts.remember(account);
        await enter(ctx, account);
        ctx.redirect(next);
        return undefined;
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: '/auth/login',
      summary: 'Sign in as the owner',
      body: nameAndPassword,
      async handle({ body: { name, password } }, ctx) {
        assertSameOrigin(ctx);
        if (await gitHub.isConfigured()) throw new LunaError('forbidden', 'People sign in to this Luna with GitHub.');
        // Asked before as well: to try a password costs this machine more than whoever guesses.
        await wrongKeys.assertMayTry(ctx.req);
        const account = await accounts.byPassword(name, password);
        if (!account) {
          await wrongKeys.note(ctx.req, password);
          throw new LunaError('unauthorized', 'The name or the password is wrong.');
        }
        await enter(ctx, account);
        return undefined;
      },
    }),
  ];
}

function signedIn(ctx: Context): Person {
  const person = personOf(ctx);
  if (!person) throw unauthorized(ctx, 'Nobody is signed in.');
  return person;
}

function enter(ctx: Context, { id, name }: Account): Promise<void> {
  return signIn(ctx, { account: id, name, role: 'admin' });
}
