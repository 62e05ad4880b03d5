import type { RequestListener } from 'node:http';
import { bodyParser } from '@koa/bodyparser';
import type { Luna } from '@luna/core/control';
import { supervisorTokenName } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { guardedDispatcher, guardedFetch } from '@luna/core/sources';
import { Accounts, localAccountId } from '@luna/core/store';
import Koa, { type Middleware } from 'koa';
import { browserSession, personIn } from './auth/browser-session.ts';
import { GitHub } from './auth/git-hub.ts';
import { adminOnly, HostGuard } from './auth/guards.ts';
import { AuthorizationServer } from './auth/oauth/authorization-server.ts';
import { refuseAmbiguous } from './auth/request-target.ts';
import type { SignInLinks } from './auth/sign-in-links.ts';
import { WrongKeys } from './auth/wrong-keys.ts';
import { toHttpError } from './http-errors.ts';
import type { PublicAddress } from './public-address.ts';
import { authRoutes } from './routes/auth.ts';
import { clientConsentRoutes } from './routes/client-consent.ts';
import { configRoutes } from './routes/config.ts';
import { type Route, routerOf } from './routes/contract.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { hubRoutes } from './routes/hubs.ts';
import { keyRoutes } from './routes/keys.ts';
import { mainHubRoute } from './routes/main-hub.ts';
import { mcpServerRoutes } from './routes/mcp-servers.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { oauthClientRoutes } from './routes/oauth-clients.ts';
import { openApiRoutes } from './routes/openapi.ts';
import { pinnedToolRoutes } from './routes/pinned-tools.ts';
import { plainJsonRpcRoute } from './routes/plain-json-rpc.ts';
import { remoteMcpRoutes } from './routes/remote-mcp.ts';
import { supervisorRoutes } from './routes/supervisor.ts';
import { uiRoutes } from './routes/ui.ts';
import { upstreamAuthorizationRoutes } from './routes/upstream-authorization.ts';

export interface AppOptions {
  /** Signs the cookies of browser sessions. */
  readonly sessionSecret: string;
  readonly links: SignInLinks;
  readonly address: PublicAddress;
  /** Variables that win over the home's `.env`, for signing in with GitHub. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Names under which this Luna is reached, beside loopback and plain addresses. */
  readonly allowedHosts?: readonly string[];
  /** The bearer token of plain JSON-RPC at /mcp. Default: AUTH_TOKEN of the home's `.env`, asked at each request. */
  readonly plainToken?: string | undefined;
  readonly onError?: (error: unknown, request: { method: string; path: string }) => void;
}

/** What answers the requests to a Luna: its hubs first, then a Koa app for everything else. */
export function createApp(luna: Luna, options: AppOptions): RequestListener {
  return assembleApp(luna, options).listener;
}

/** The same with its parts, for what is made from them. */
export interface AssembledApp {
  readonly listener: RequestListener;
  readonly koa: Koa;
  /** Every route with its contract, from which the OpenAPI document is made. */
  readonly routes: readonly Route[];
}

/** See {@link createApp}. */
export function assembleApp(luna: Luna, options: AppOptions): AssembledApp {
  const app = new Koa();
  app.keys = [options.sessionSecret];
  const wrongKeys = new WrongKeys(() => luna.config.config.luna.trusted_proxies);
  const guard = adminOnly(async () => (await luna.env.read())[supervisorTokenName] ?? '', wrongKeys);
  const allowedHosts = () =>
    [...(options.allowedHosts ?? []), luna.config.config.public_domain, options.address.host]
      .filter(Boolean)
      .map(bareHost);
  const hosts = new HostGuard(allowedHosts);

  const gitHub = new GitHub(async () => ({ ...(await luna.env.read()), ...options.environment }));
  const accounts = new Accounts(luna.store);
  const server = new AuthorizationServer({
    store: luna.store,
    address: options.address,
    cookieKeys: [options.sessionSecret],
    accountIn: async (request) => (await personIn(request, app, luna.store))?.account,
    isAllowed: async (id) => id === localAccountId || (await gitHub.stillMay((await accounts.get(id))?.name ?? '')),
    fetch: guardedFetch(
      guardedDispatcher(() => ({
        allowedHosts: luna.config.config.luna.allowed_private_hosts,
        allowPrivateNetwork: false,
      })),
    ),
  });

  app.use(answerErrors(options.onError));
  app.use((ctx, next) => {
    hosts.assertMeantForUs(ctx.headers);
    return next();
  });
  app.use(browserSession(app, luna.store, options.address));
  app.use(guardControl(guard));
  app.use(clientConsentRoutes(luna, server).routes());
  app.use(bodyParser({ enableTypes: ['json'], jsonLimit: '4mb', jsonStrict: true, onError: refuseBody }));
  const routes: Route[] = [
    ...healthRoutes(luna),
    ...authRoutes({ store: luna.store, links: options.links, wrongKeys, gitHub, address: options.address }),
    ...oauthClientRoutes(luna, server),
    ...eventRoutes(luna),
    ...mcpServerRoutes(luna),
    ...upstreamAuthorizationRoutes(luna),
    ...pinnedToolRoutes(luna),
    ...remoteMcpRoutes(luna),
    ...supervisorRoutes(luna, options.links),
    ...configRoutes(luna),
    ...keyRoutes(luna),
  ];
  routes.push(...openApiRoutes(luna, routes));
  app.use(routerOf(routes, { open: undefined, admin: guard, agent: guard }).routes());
  app.use(uiRoutes());

  const answerByHub = hubRoutes(luna, hosts, wrongKeys);
  const answerByMain = mainHubRoute(luna, { server, hosts, wrongKeys });
  const answerOAuth = oauthRoutes({
    server,
    hosts,
    trustedProxies: () => luna.config.config.luna.trusted_proxies,
    onError: options.onError,
  });
  const answerPlainly = plainJsonRpcRoute(luna, {
    hosts,
    wrongKeys,
    token: options.plainToken,
    onError: options.onError,
  });
  const answerByApp = app.callback();
  const listener: RequestListener = (request, response) => {
    if (refuseAmbiguous(request, response)) return;
    const answered = [answerByHub, answerByMain, answerOAuth, answerPlainly].some((face) => face(request, response));
    if (!answered) void answerByApp(request, response);
  };
  return { listener, koa: app, routes };
}

/** A host as browsers name it: without a port, in small letters. */
function bareHost(name: string): string {
  return name.toLowerCase().replace(/:\d+$/, '');
}

/**
 * Everything below /api/supervisor is an administrator's, in whatever letters the path is written and whatever route
 * takes it: the guards of the routes themselves are asked only when their own prefix fits.
 */
function guardControl(guard: Middleware): Middleware {
  const isOpen = (path: string) => path === '/api/supervisor/health';
  return (ctx, next) => (/^\/api\/supervisor(?:\/|$)/i.test(ctx.path) && !isOpen(ctx.path) ? guard(ctx, next) : next());
}

function answerErrors(onError: AppOptions['onError']): Middleware {
  return async (ctx, next) => {
    ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' });
    try {
      await next();
    } catch (thrown) {
      const { status, headers, body } = toHttpError(thrown);
      if (status >= 500) onError?.(thrown, { method: ctx.method, path: ctx.path });
      ctx.status = status;
      ctx.set(headers);
      ctx.body = body;
    }
  };
}

function refuseBody(error: Error & { status?: number }): never {
  if (error.status === 413) throw new LunaError('too_large', 'The body is longer than 4 MB.', { cause: error });
  throw new LunaError('invalid_input', 'The body is not valid JSON.', { cause: error });
}
