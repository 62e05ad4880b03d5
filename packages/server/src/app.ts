import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { bodyParser } from '@koa/bodyparser';
import type { Luna } from '@luna/core/control';
import { supervisorTokenName } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { guardedDispatcher, guardedFetch } from '@luna/core/sources';
import { Accounts, localAccountId } from '@luna/core/store';
import Koa, { type Middleware } from 'koa';
import type { Logger } from 'pino';
import { answerErrors, type OnError, refuseBody } from './answer-errors.ts';
import { browserSession, personIn } from './auth/browser-session.ts';
import { GitHub } from './auth/git-hub.ts';
import { adminOnly, admitUpgrade, HostGuard, personOf } from './auth/guards.ts';
import { AuthorizationServer } from './auth/oauth/authorization-server.ts';
import { ambiguityOf, refuseAmbiguous } from './auth/request-target.ts';
import type { SignInLinks } from './auth/sign-in-links.ts';
import { WrongKeys } from './auth/wrong-keys.ts';
import type { CoreUpdater } from './core-update/index.ts';
import { Gateway, refuseUpgrade } from './gateway/gateway.ts';
import { sendError } from './http-errors.ts';
import { tellRequestId } from './log/request-id.ts';
import { RequestLog } from './log/request-log.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { PublicAddress } from './public-address.ts';
import { redirectsBelow } from './redirects-below.ts';
import { agentsFace } from './routes/agents-face.ts';
import { apiRoutes } from './routes/api-routes.ts';
import { clientConsentRoutes } from './routes/client-consent.ts';
import { type Route, routerOf } from './routes/contract.ts';
import { healthRoutes } from './routes/health.ts';
import { hubRoutes } from './routes/hubs.ts';
import type { Lifecycle } from './routes/lifecycle.ts';
import { mainHubRoute } from './routes/main-hub.ts';
import { metricsGuard, metricsRoutes, metricsTokenName } from './routes/metrics.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { openApiRoutes } from './routes/openapi.ts';
import { plainJsonRpcRoute } from './routes/plain-json-rpc.ts';
import { uiRoutes } from './routes/ui.ts';

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
  /** How this server can be ended over its API. Left out: not at all. */
  readonly lifecycle?: Lifecycle;
  /** Updates Luna itself. Left out: what it would bring cannot be asked. */
  readonly coreUpdater?: CoreUpdater;
  readonly onError?: OnError;
  /** Figures at /metrics. Left out: nothing is there. */
  readonly metrics?: Metrics;
  /** Opens /metrics and nothing else. Default: METRICS_TOKEN of the home's `.env`, asked at each request. */
  readonly metricsToken?: string | undefined;
  /** Gets a line for each request. */
  readonly log?: Logger;
}

/** Answers requests, and takes websockets: to be given to a server's `request` and `upgrade` events. */
export type LunaApp = RequestListener & {
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** Whether a request that wants another protocol gets it; otherwise it is answered as an ordinary one. */
  wantsUpgrade(request: IncomingMessage): boolean;
};

/** What answers the requests to a Luna: its hubs first, then a Koa app for everything else. */
export function createApp(luna: Luna, options: AppOptions): LunaApp {
  return assembleApp(luna, options).listener;
}

/** The same with its parts, for what is made from them. */
export interface AssembledApp {
  readonly listener: LunaApp;
  readonly koa: Koa;
  /** Every route with its contract, from which the OpenAPI document is made. */
  readonly routes: readonly Route[];
}

/** See {@link createApp}. */
export function assembleApp(luna: Luna, options: AppOptions): AssembledApp {
  const { address } = options;
  const app = new Koa();
  app.keys = [options.sessionSecret];
  const wrongKeys = new WrongKeys(() => luna.config.config.luna.trusted_proxies);
  const supervisorToken = async () => (await luna.env.read())[supervisorTokenName] ?? '';
  const guard = adminOnly(supervisorToken, wrongKeys);
  const allowedHosts = () =>
    [...(options.allowedHosts ?? []), luna.config.config.public_domain, address.host].filter(Boolean).map(bareHost);
  const hosts = new HostGuard(allowedHosts);

  const gitHub = new GitHub(async () => ({ ...(await luna.env.read()), ...options.environment }));
  const accounts = new Accounts(luna.store);
  const server = new AuthorizationServer({
    store: luna.store,
    address,
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

  server.onRevoked(() => luna.announce({ type: 'oauth-clients.changed' }));

  const gateway = new Gateway({
    luna,
    address,
    guard,
    personOf,
    admit: (request) =>
      admitUpgrade(request, { supervisorToken, wrongKeys, personIn: () => personIn(request, app, luna.store) }),
  });

  const requests = new RequestLog({ figures: options.metrics?.requests, log: options.log });
  app.use(answerErrors(luna, requests, options.onError));
  app.use(redirectsBelow(address));
  app.use((ctx, next) => {
    hosts.assertMeantForUs(ctx.headers);
    return next();
  });
  const health = healthRoutes(luna);
  app.use(routerOf(health, { open: undefined, admin: guard, agent: guard }).routes());
  app.use(browserSession(app, luna.store, address));
  app.use(guardControl(guard));
  app.use(gateway.middleware());
  app.use(clientConsentRoutes(luna, server, address).routes());
  app.use(bodyParser({ enableTypes: ['json'], jsonLimit: '4mb', jsonStrict: true, onError: refuseBody }));
  const guards = { open: undefined, admin: guard, agent: guard };
  const figures = options.metrics ? metricsRoutes(options.metrics) : [];
  const routes = apiRoutes(luna, { ...options, wrongKeys, gitHub, server });
  const documented = [...health, ...figures, ...routes];
  routes.push(...openApiRoutes(luna, documented, address));
  documented.push(...routes.slice(-1));
  if (options.metrics) {
    const token = async () => options.metricsToken ?? (await luna.env.read())[metricsTokenName];
    app.use(routerOf(figures, { ...guards, admin: metricsGuard(token, guard) }).routes());
  }
  app.use(routerOf(routes, guards).routes());
  app.use(uiRoutes(() => address.basePath));

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
  const answerByAgents = agentsFace(luna, {
    hosts,
    wrongKeys,
    personIn: (request) => personIn(request, app, luna.store),
  });
  const faces: readonly { route: string; answer: (request: IncomingMessage, response: ServerResponse) => boolean }[] = [
    { route: '/v1', answer: answerByAgents },
    { route: '/api/mcp', answer: answerByMain },
    { route: '(oauth)', answer: answerOAuth },
    { route: '/mcp', answer: answerPlainly },
  ];
  const answerByApp = app.callback();
  const answer: RequestListener = (request, response) => {
    address.enter(request);
    const note = requests.begin(request, response);
    if (refuseAmbiguous(request, response)) return;
    if (luna.stopping && !isHealth(request.url)) return refuseWhileStopping(response);
    if (answerByHub(request, response)) {
      note.route = '/api/mcp-{name}';
      return;
    }
    tellRequestId(response);
    for (const { route, answer } of faces) {
      if (!answer(request, response)) continue;
      note.route = route;
      return;
    }
    requests.keep(request, note);
    void answerByApp(request, response);
  };
  const upgrade = async (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const response = () => new ServerResponse(request);
    address.enter(request);
    try {
      if (ambiguityOf(request) !== undefined) throw new LunaError('invalid_input', 'The request is not legal.');
      hosts.assertMeantForUs(request.headers);
      if (await gateway.upgrade(request, socket, head)) return;
      throw new LunaError('not_found', 'There is no websocket here.');
    } catch (thrown) {
      refuseUpgrade(request, socket, thrown, response);
    }
  };
  const listener = Object.assign(answer, {
    upgrade: (...event: Parameters<typeof upgrade>) => void upgrade(...event),
    wantsUpgrade: (request: IncomingMessage) => {
      address.enter(request);
      return gateway.wantsUpgrade(request);
    },
  });
  return { listener, koa: app, routes: documented };
}

/** A host as browsers name it: without a port or path, in small letters. */
function bareHost(name: string): string {
  return name.toLowerCase().replace(/\/.*$/, '').replace(/:\d+$/, '');
}

/**
 * Everything below these is an administrator's, in whatever letters the path is written and whatever route
 * takes it: the guards of the routes themselves are asked only when their own prefix fits.
 */
function guardControl(guard: Middleware): Middleware {
  const isOpen = (path: string) => path === '/api/supervisor/health';
  const isGuarded = (path: string) => /^\/api\/(?:supervisor|external-services)(?:\/|$)/i.test(path);
  return (ctx, next) => (isGuarded(ctx.path) && !isOpen(ctx.path) ? guard(ctx, next) : next());
}

function isHealth(url = ''): boolean {
  return /^\/(?:health|healthz|readyz|api\/supervisor\/health)(?:\?|$)/.test(url);
}

function refuseWhileStopping(response: ServerResponse): void {
  response.setHeader('connection', 'close');
  sendError(response, new LunaError('not_running', 'Luna is stopping.'));
}
