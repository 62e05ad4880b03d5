import type { Dispatcher } from 'undici';
import type { LunaError } from '../../errors/index.ts';
import type { ProxySettings } from '../../supervisor/index.ts';
import {
  bareHost,
  guardedConnect,
  guardedDispatcher,
  guardedFetch,
  Http1Pool,
  type Http1PoolOptions,
  isLiterallyInside,
  type PolicySource,
  refusalIn,
} from '../egress/index.ts';
import { authorizedDispatch, authorizedFetch, type UpstreamAuthorization } from './oauth/index.ts';

/** The way to one server over HTTP, for the SDK's transports (`fetch`) and for Luna's own requests (`pool`). */
export interface WayOut {
  readonly fetch: typeof fetch;
  /** Opens connections to the server for Luna's own requests. */
  pool(origin: string, options: Http1PoolOptions): Dispatcher;
  /** For the dispatcher of Luna's own requests: adds the authorization. */
  readonly intercept: Dispatcher.DispatcherComposeInterceptor | undefined;
  /** Why the latest request was not made at all, for callers that hear of failures without their cause. */
  readonly refusal: LunaError | undefined;
  close(): Promise<void>;
}

export interface WayOutOptions {
  /** What the server may lead to inside the network. */
  readonly policy?: PolicySource;
  /** The proxies of this machine. */
  readonly proxy?: ProxySettings;
  readonly authorize?: Authorize;
}

/** Makes the authorization of a server, given the way to authorization servers. */
export type Authorize = (fetchIt: typeof fetch) => UpstreamAuthorization;

/**
 * Opens the way to a server. The host of its URL counts as allowed when it says by itself that it is inside
 * (`localhost`, `10.0.0.7`): whoever wrote it meant that. Any other way inside needs the policy.
 */
export function openWayOut(url: URL, { policy = {}, proxy, authorize }: WayOutOptions = {}): WayOut {
  const now = () => {
    const { allowedHosts = [], ...rest } = typeof policy === 'function' ? policy() : policy;
    return {
      ...rest,
      allowedHosts: isLiterallyInside(url.hostname) ? [...allowedHosts, bareHost(url.hostname)] : allowedHosts,
    };
  };
  // How long an answer may take is for whoever asks.
  const dispatcher: Dispatcher = guardedDispatcher(now, { headersTimeout: 0, bodyTimeout: 0, proxy });
  const guarded = guardedFetch(dispatcher);
  const authorization = authorize?.(guarded);
  const request = authorization ? authorizedFetch(guarded, url, authorization) : guarded;
  let refusal: LunaError | undefined;
  return {
    fetch: async (input, init) => {
      refusal = undefined;
      try {
        return await request(input, init);
      } catch (thrown) {
        refusal = refusalIn(thrown);
        throw thrown;
      }
    },
    pool: (origin, options) =>
      proxy
        ? guardedDispatcher(now, { ...options, headersTimeout: 0, bodyTimeout: 0, proxy })
        : new Http1Pool(origin, { ...options, connect: guardedConnect(now, { allowH2: false }) }),
    intercept: authorization && authorizedDispatch(authorization),
    get refusal() {
      return refusal;
    },
    close: async () => {
      await authorization?.settled();
      await dispatcher.destroy();
    },
  };
}
