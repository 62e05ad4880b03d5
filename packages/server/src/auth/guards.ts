import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { keysEqual } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import type { Context, Middleware } from 'koa';
import type { WrongKeys } from './wrong-keys.ts';

/**
 * Knows requests that name another host, so that a page whose name was made to point here (DNS rebinding) reaches
 * nothing, and requests that a browser sends from another site.
 */
export class HostGuard {
  readonly #allowedHosts: () => readonly string[];
  /** The latest `Host` that was an address or this machine, whatever else is allowed: nearly all requests name the same. */
  #latestPlain: string | undefined;

  /** `allowedHosts`: names under which this Luna is reached, beside loopback and plain addresses; asked at each request. */
  constructor(allowedHosts: () => readonly string[]) {
    this.#allowedHosts = allowedHosts;
  }

  /** Throws `forbidden` for a request that is not meant for this Luna. */
  assertMeantForUs(headers: IncomingHttpHeaders): void {
    this.assertKnownHost(headers);
    const { origin } = headers;
    if (origin !== undefined && !this.#isKnown(URL.canParse(origin) ? new URL(origin).hostname : '')) {
      throw new LunaError('forbidden', `Requests from pages of ${origin} are not allowed.`);
    }
  }

  /** Throws `forbidden` for a request that names another host. Pages of other sites may send it. */
  assertKnownHost({ host = '' }: IncomingHttpHeaders): void {
    if (host === this.#latestPlain) return;
    const hostname = hostnameOf(host);
    if (isOfThisMachine(hostname)) this.#latestPlain = host;
    else if (!this.#isKnown(hostname)) {
      throw new LunaError(
        'forbidden',
        `This Luna is not known as "${host}". Add the name to public_domain or LUNA_ALLOWED_HOSTS.`,
      );
    }
  }

  #isKnown(hostname: string): boolean {
    return isOfThisMachine(hostname) || this.#allowedHosts().includes(hostname.toLowerCase());
  }
}

/** Plain addresses and localhost: no name that somebody else could make point here. */
function isOfThisMachine(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || isIP(bare) !== 0;
}

/** Who is signed in, as the session keeps it. */
export interface Person {
  /** See `Account.id`. */
  readonly account: string;
  readonly name: string;
  readonly role: 'admin';
}

/**
 * Lets an administrator pass: a browser session, or the supervisor token as bearer. A write by session must come from
 * a page of this very origin. Throws `unauthorized`, `forbidden`, or `limit_exceeded` for one who guesses.
 */
export function adminOnly(supervisorToken: () => Promise<string>, wrongKeys: WrongKeys): Middleware {
  return async (ctx, next) => {
    const bearer = bearerOf(ctx.headers);
    if (bearer !== undefined) {
      if (!keysEqual(bearer, await supervisorToken())) {
        await wrongKeys.note(ctx.req, bearer);
        throw unauthorized(ctx, 'The token is not the SUPERVISOR_API_TOKEN of this home.');
      }
    } else {
      if (!personOf(ctx)) throw unauthorized(ctx, 'Sign in first, or send the SUPERVISOR_API_TOKEN as bearer token.');
      assertSameOrigin(ctx);
    }
    await next();
  };
}

/** What is known of who may open a websocket. */
export interface Doorkeeper {
  readonly supervisorToken: () => Promise<string>;
  readonly wrongKeys: WrongKeys;
  readonly personIn: () => Promise<Person | undefined>;
}

/**
 * The same as {@link adminOnly}, for a websocket, which does not pass Koa: returns the person, or undefined for the
 * supervisor token. Throws likewise.
 */
export async function admitUpgrade(request: IncomingMessage, keeper: Doorkeeper): Promise<Person | undefined> {
  const { headers } = request;
  const bearer = bearerOf(headers);
  if (bearer !== undefined) {
    if (keysEqual(bearer, await keeper.supervisorToken())) return undefined;
    await keeper.wrongKeys.note(request, bearer);
    throw new LunaError('unauthorized', 'The token is not the SUPERVISOR_API_TOKEN of this home.');
  }
  const person = await keeper.personIn();
  if (!person) throw new LunaError('unauthorized', 'Sign in first, or send the SUPERVISOR_API_TOKEN as bearer token.');
  const { origin = '', host } = headers;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new LunaError('forbidden', 'A websocket by a browser session must come from a page of this Luna.');
  }
  return person;
}

/** The person of the session, if someone is signed in. */
export function personOf(ctx: Context): Person | undefined {
  return ctx.session?.person;
}

export function bearerOf({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}

export function unauthorized(ctx: Context, message: string): LunaError {
  ctx.set('WWW-Authenticate', 'Bearer realm="luna"');
  return new LunaError('unauthorized', message);
}

/** A cookie goes with requests that other pages cause; a matching Origin shows that this one is ours. */
export function assertSameOrigin(ctx: Context): void {
  assertFromHere(ctx.req);
}

/** See {@link assertSameOrigin}, for a request that does not go through Koa. */
export function assertFromHere({ method = '', headers }: IncomingMessage): void {
  if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return;
  const { origin = '', host } = headers;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new LunaError('forbidden', 'A change by a browser session must come from a page of this Luna.');
  }
}

/** The name without the port; parsed as a URL only where it is not plain, since this runs for every request. */
function hostnameOf(host: string): string {
  const plain = /^([a-z0-9.-]+)(?::\d+)?$/i.exec(host)?.[1];
  if (plain !== undefined) return plain;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
}
