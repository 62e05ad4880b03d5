import { type IncomingMessage, ServerResponse } from 'node:http';
import { BrowserSessions, type Store } from '@luna/core/store';
import type Koa from 'koa';
import type { Context, Middleware } from 'koa';
import session from 'koa-session';
import { z } from 'zod';
import type { PublicAddress } from '../public-address.ts';
import type { Person } from './guards.ts';

const cookieName = 'luna_session';
/** The cookies that open Luna, its signature included. */
export const sessionCookieNames: readonly string[] = [cookieName, `${cookieName}.sig`];
const lifeMs = 7 * 86_400_000;

const sessionSchema = z.object({
  person: z.object({ account: z.string(), name: z.string(), role: z.literal('admin') }),
});

/** Browser sessions in the database; the cookie holds an id. Signing out ends a session wherever its cookie is. */
export function browserSession(app: Koa, store: Store, address: PublicAddress): Middleware {
  const sessions = new BrowserSessions(store);
  const options: Parameters<typeof session>[0] = {
    key: cookieName,
    maxAge: lifeMs,
    sameSite: 'lax',
    rolling: false,
    renew: true,
    store: {
      get: async (id: string) => sessions.get(id),
      set: (id: string, data: unknown, maxAge: number) => sessions.set(id, data, maxAge),
      destroy: (id: string) => sessions.delete(id),
    },
  };
  const koaSession = session(options, app);
  // Copied for each request. What else the host serves has no need of the cookie.
  Object.defineProperty(options, 'path', { enumerable: true, get: () => address.basePath || '/' });
  return (ctx, next) => {
    // TLS ends at a proxy; only the browser knows that the connection is safe.
    if (isByTls(ctx, address)) ctx.cookies.secure = true;
    return koaSession(ctx, next);
  };
}

/** Signs a person in, under another session than the one before: nobody can have planted it. */
export async function signIn(ctx: Context, person: Person): Promise<void> {
  ctx.session = { person };
  await ctx.session?.regenerate();
}

function isByTls(ctx: Context, address: PublicAddress): boolean {
  return address.url.startsWith('https:') && ctx.get('host') === address.host;
}

/** Who is signed in in the browser of a request that does not go through Koa. */
export async function personIn(request: IncomingMessage, app: Koa, store: Store): Promise<Person | undefined> {
  if (request.headers.cookie === undefined) return undefined;
  const id = app.createContext(request, new ServerResponse(request)).cookies.get(cookieName, { signed: true });
  const held = id === undefined ? undefined : sessionSchema.safeParse(await new BrowserSessions(store).get(id));
  return held?.data?.person;
}
