import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LunaError } from '@luna/core/errors';
import { createProxyMiddleware, type RequestHandler } from 'http-proxy-middleware';
import { sessionCookieNames } from '../auth/browser-session.ts';
import { sendError } from '../http-errors.ts';
import { type ShownAt, shownCookie, shownLocation } from './answered-paths.ts';

/** Where one request goes, and with what. */
export interface ProxiedTo extends ShownAt {
  /** Path and query. */
  readonly path: string;
  /** Headers that Luna sets. Whatever a client sent under `X-Luna-…` or `X-Forwarded-…` is taken away first. */
  readonly headers: Readonly<Record<string, string>>;
  /** What to say when nothing answers there. */
  readonly whenDown: LunaError;
}

/** What a client says of itself is no proof of who it is. */
const claims = /^(?:x-luna-|x-forwarded-|forwarded$|x-real-ip$|remote-user$)/i;

/** Passes requests and websockets on to programs of this machine, without what opens Luna itself. */
export class ReverseProxy {
  readonly #targets = new WeakMap<IncomingMessage, ProxiedTo>();
  readonly #proxy: RequestHandler<IncomingMessage, ServerResponse>;

  constructor() {
    const targetOf = (request: IncomingMessage): ProxiedTo => {
      const target = this.#targets.get(request);
      if (!target) throw new LunaError('internal', 'A request came to the proxy without its target.');
      return target;
    };
    this.#proxy = createProxyMiddleware<IncomingMessage, ServerResponse>({
      target: 'http://127.0.0.1',
      router: (request) => targetOf(request).origin,
      pathRewrite: (_path, request) => targetOf(request).path,
      // A development server refuses names that it does not know; the name that was asked for is X-Forwarded-Host.
      changeOrigin: true,
      // Programs of this machine; what some of them show is a certificate that they made themselves.
      secure: false,
      xfwd: false,
      on: {
        proxyRes: ({ headers }, request) => {
          const at = targetOf(request);
          if (headers.location !== undefined) headers.location = shownLocation(headers.location, at);
          const cookies = headers['set-cookie']?.filter((cookie) => !isOurs(cookie));
          if (cookies) headers['set-cookie'] = cookies.map((cookie) => shownCookie(cookie, at));
        },
        error: (error, request, response) => {
          const target = this.#targets.get(request);
          if (!('writeHead' in response)) response.destroy();
          else if (response.headersSent) response.destroy(error);
          else
            sendError(response, target?.whenDown ?? new LunaError('upstream_error', error.message, { cause: error }));
        },
      },
    });
  }

  pass(request: IncomingMessage, response: ServerResponse, to: ProxiedTo): void {
    this.#prepare(request, to);
    // Another protocol that a client offered is between it and Luna.
    delete request.headers.upgrade;
    delete request.headers.connection;
    void this.#proxy(request, response);
  }

  passUpgrade(request: IncomingMessage, socket: Socket, head: Buffer, to: ProxiedTo): void {
    this.#prepare(request, to);
    this.#proxy.upgrade(request, socket, head);
  }

  #prepare(request: IncomingMessage, to: ProxiedTo): void {
    this.#targets.set(request, to);
    const { headers } = request;
    for (const name of Object.keys(headers)) if (claims.test(name)) delete headers[name];
    // They open Luna's own doors; no program behind it needs them.
    delete headers.authorization;
    const cookie = otherCookies(headers);
    if (cookie === '') delete headers.cookie;
    else headers.cookie = cookie;
    Object.assign(headers, to.headers satisfies OutgoingHttpHeaders);
  }
}

function otherCookies({ cookie = '' }: IncomingHttpHeaders): string {
  return cookie
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '' && !isOurs(one))
    .join('; ');
}

function isOurs(cookie: string): boolean {
  return sessionCookieNames.includes(cookie.slice(0, cookie.indexOf('=')).trim());
}
