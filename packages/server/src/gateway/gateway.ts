import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clientAddress, type ExtensionRoute, type Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import type { Context, Middleware } from 'koa';
import type { Person } from '../auth/guards.ts';
import { isDecodable } from '../auth/request-target.ts';
import { sendError } from '../http-errors.ts';
import type { PublicAddress } from '../public-address.ts';
import type { ProxiedTo, ReverseProxy } from './reverse-proxy.ts';

/** Names below /api that are Luna's own, so that no extension of such a name is reached there. */
const ownNames = /^(?:supervisor|external-services|agent|mcp(?:-.*)?|openapi\.json|authorize|token|register|revoke)$/;

/** External services have their web interfaces below this, or deeper. */
const externalBase = 'ext_service';

export interface GatewayOptions {
  readonly luna: Luna;
  readonly address: PublicAddress;
  /** Lets an administrator pass, and throws otherwise. */
  readonly guard: Middleware;
  /** Who is signed in, and may do this. Throws `unauthorized` or `forbidden`. For requests that do not pass Koa. */
  readonly admit: (request: IncomingMessage) => Promise<Person | undefined>;
  readonly personOf: (ctx: Context) => Person | undefined;
}

/** A place behind the gateway. */
interface Place extends Pick<ExtensionRoute, 'name' | 'prefix' | 'stripPrefix' | 'slash' | 'problem'> {
  /** Undefined while nothing listens there. */
  readonly origin: string | undefined;
  /** Whether people open it in the browser. */
  readonly isPage: boolean;
  readonly isStarting: boolean;
}

/**
 * Leads requests to programs that Luna runs: `/ext/<extension>/` to the UI of an extension, `/api/<extension>/` to its
 * service, `/ext_service/<slug>/` to an external service; websockets too. Who has not signed in gets no further than this.
 */
export class Gateway {
  readonly #options: GatewayOptions;
  #proxy: Promise<ReverseProxy> | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** To be used before bodies are read. */
  middleware(): Middleware {
    return async (ctx, next) => {
      const found = this.#find(ctx.path);
      if (!found) return next();
      if (found.isPage && isPage(ctx) && this.#options.personOf(ctx) === undefined) {
        ctx.redirect(`/sign-in?next=${encodeURIComponent(ctx.url)}`);
        return;
      }
      await this.#options.guard(ctx, async () => {
        if (ctx.path === found.prefix && found.slash) {
          ctx.redirect(`${found.prefix}/${ctx.search}`);
          return;
        }
        const to = this.#target(found, ctx.req, this.#options.personOf(ctx));
        const proxy = await this.#reverseProxy();
        ctx.respond = false;
        proxy.pass(ctx.req, ctx.res, to);
      });
    };
  }

  /** Whether this is a websocket that {@link upgrade} would take, or refuse in the manner of websockets. */
  wantsUpgrade(request: IncomingMessage): boolean {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return false;
    const path = pathOf(request);
    // What cannot be read in one way only is refused as any other request is.
    return isDecodable(path) && this.#find(path) !== undefined;
  }

  /** Takes a websocket that is meant for an extension; false when it is not. */
  async upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<boolean> {
    const found = this.#find(pathOf(request));
    if (!found) return false;
    const person = await this.#options.admit(request);
    (await this.#reverseProxy()).passUpgrade(request, socket, head, this.#target(found, request, person));
    return true;
  }

  #find(path: string): Place | undefined {
    const { services } = this.#options.luna;
    const [, first = '', extension = '', segment = ''] = path.split('/');
    if (first === 'ext') return placeOf(services.uiRoute(decodeURIComponent(extension)), true);
    if (first === externalBase) return this.#external(path);
    if (first !== 'api' || ownNames.test(extension.toLowerCase())) return undefined;
    return placeOf(services.serviceRoute(decodeURIComponent(extension), segment), false);
  }

  #external(path: string): Place | undefined {
    const routes = this.#options.luna.externalServices.routes();
    const route = routes.find((one) => path.startsWith(one.path) || `${path}/` === one.path);
    if (!route) return undefined;
    return {
      name: route.service,
      prefix: route.path.slice(0, -1),
      stripPrefix: route.strip_prefix,
      slash: route.enforce_trailing_slash,
      isPage: true,
      isStarting: false,
      origin: `${route.scheme}://${route.host}:${route.port}`,
    };
  }

  /** Loaded with the first request that needs it: many homes have nothing behind the gateway. */
  #reverseProxy(): Promise<ReverseProxy> {
    this.#proxy ??= import('./reverse-proxy.ts').then((loaded) => new loaded.ReverseProxy());
    return this.#proxy;
  }

  #target(route: Place, request: IncomingMessage, person: Person | undefined): ProxiedTo {
    if (route.origin === undefined) throw new LunaError('source_unavailable', route.problem ?? 'It does not run.');
    const { luna, address } = this.#options;
    const forwarded = request.headers['x-forwarded-for'];
    const url = new URL(address.url);
    const { host = '' } = request.headers;
    const isPublic = host === url.host;
    const { basePath } = address;
    const target = request.url ?? '/';
    return {
      origin: route.origin,
      // Who keeps the prefix is told of the base path too, and gets what the browser asks for.
      path: route.stripPrefix ? withoutPrefix(target, route.prefix) : basePath + target,
      basePath,
      prefix: route.prefix,
      stripPrefix: route.stripPrefix,
      host,
      headers: {
        'x-forwarded-for': clientAddress(
          request.socket.remoteAddress,
          Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
          luna.config.config.luna.trusted_proxies,
        ),
        'x-forwarded-host': host,
        'x-forwarded-proto': isPublic ? url.protocol.slice(0, -1) : 'http',
        'x-forwarded-prefix': basePath + route.prefix,
        ...(person && { 'x-luna-user': person.account, 'x-luna-user-name': encodeURIComponent(person.name) }),
        'x-luna-role': 'admin',
      },
      whenDown: route.isStarting
        ? new LunaError('source_unavailable', `${route.name} is starting. Try again in a moment.`)
        : new LunaError('upstream_error', `${route.name} does not answer. Look at its log: luna logs ${route.name}`),
    };
  }
}

function placeOf(route: ExtensionRoute | undefined, isPage: boolean): Place | undefined {
  return route && { ...route, isPage, origin: route.port === undefined ? undefined : `http://127.0.0.1:${route.port}` };
}

/** Refuses a websocket in the form in which its client can read it. */
export function refuseUpgrade(
  request: IncomingMessage,
  socket: Socket,
  thrown: unknown,
  makeResponse: () => ServerResponse,
) {
  const response = makeResponse();
  response.assignSocket(socket);
  response.setHeader('connection', 'close');
  sendError(response, thrown);
  response.once('finish', () => socket.destroySoon());
  request.resume();
}

function isPage(ctx: Context): boolean {
  return ctx.method === 'GET' && ctx.get('authorization') === '' && ctx.accepts('html', 'json') === 'html';
}

function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function withoutPrefix(url: string, prefix: string): string {
  const rest = url.slice(prefix.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
