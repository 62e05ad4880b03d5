import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { LunaError, toLunaError } from '../../errors/index.ts';
import type { ProxySettings } from '../../supervisor/index.ts';
import { assertMayReach, bareHost, type EgressPolicy } from './policy.ts';

/**
 * Connections that are judged at the moment of dialling. The name is looked up once, every address of the answer is
 * checked, and only those addresses are dialled: neither a redirect nor a name that answers differently the second
 * time leads elsewhere.
 */

/** The policy as it is now. A function is asked at each dialling. */
export type PolicySource = EgressPolicy | (() => EgressPolicy);

export interface GuardOptions {
  /** Through which requests go to hosts that do not say by themselves that they are inside. */
  readonly proxy?: ProxySettings;
  /** Default: the system's. */
  readonly lookup?: LookupFunction;
  /** Whether connections may speak HTTP/2. Default: where the server does. */
  readonly allowH2?: boolean;
}

export type Connector = buildConnector.connector;

/** For the option `connect` of a `Pool`, `Client` or `Agent` of undici. */
export function guardedConnect(policy: PolicySource, options: GuardOptions = {}): Connector {
  const resolve = options.lookup ?? systemLookup;
  const now = () => (typeof policy === 'function' ? policy() : policy);
  const { allowH2 = true } = options;
  const connect = buildConnector({ allowH2, lookup: checkedLookup(resolve as LookupFunction, now) });
  return (target, callback) => {
    const host = bareHost(target.hostname);
    try {
      // Addresses are dialled without a look-up.
      if (isIP(host)) assertMayReach(host, host, now());
    } catch (thrown) {
      callback(toLunaError(thrown), null);
      return;
    }
    connect(target, callback);
  };
}

/** An agent for requests to any host, all of whose connections are judged. Close it when it is no longer needed. */
export function guardedDispatcher(policy: PolicySource, options: GuardOptions & Agent.Options = {}): Dispatcher {
  const { lookup, proxy, ...agent } = options;
  const connect = guardedConnect(policy, { lookup });
  if (!proxy) return new Agent({ ...agent, connect });
  const { httpProxy, httpsProxy } = proxy;
  const noProxy = [proxy.noProxy, 'localhost', '127.0.0.1', '::1'].filter(Boolean).join(',');
  return new EnvHttpProxyAgent({
    ...agent,
    connect,
    httpProxy: httpProxy ?? '',
    httpsProxy: httpsProxy ?? '',
    noProxy,
  }).compose(judgedAddresses(policy));
}

/** `fetch` over {@link guardedDispatcher}: each hop of a redirect is judged as the first address is. */
export function guardedFetch(dispatcher: Dispatcher): typeof fetch {
  const guarded = async (input: string | URL | Request, init?: RequestInit) => {
    try {
      // The types of undici and of Node are two copies of the same.
      const options = { ...init, dispatcher } as unknown as Parameters<typeof undiciFetch>[1];
      return asResponse((await undiciFetch(input as string | URL, options)) as unknown as Response);
    } catch (thrown) {
      throw refusalIn(thrown) ?? thrown;
    }
  };
  return guarded;
}

/** Stands for a request that was never made, towards whoever waits for its answer. */
export const notSent: Dispatcher.DispatchController = {
  aborted: true,
  paused: false,
  reason: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

/** The same answer as a `Response` of this process: libraries test for that with `instanceof`. */
function asResponse(answer: Response): Response {
  const { status, statusText, headers, url, redirected, type } = answer;
  const response = new Response(answer.body, { status, statusText, headers: [...headers] });
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
  });
}

/** The error of Luna that lies under others, which HTTP clients wrap around it. */
export function refusalIn(thrown: unknown): LunaError | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++)
    if (error instanceof LunaError) return error;
  return undefined;
}

/** A proxy looks names up by itself; what is an address already is judged before it is asked. */
function judgedAddresses(policy: PolicySource): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const host = bareHost(new URL(String(options.origin)).hostname);
    try {
      if (isIP(host)) assertMayReach(host, host, typeof policy === 'function' ? policy() : policy);
    } catch (thrown) {
      handler.onResponseError?.(notSent, toLunaError(thrown));
      return true;
    }
    return dispatch(options, handler);
  };
}

function checkedLookup(resolve: LookupFunction, policy: () => EgressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      try {
        const addresses = typeof found === 'string' ? [] : found;
        // One address inside spoils the answer: nobody mixes them for a good reason.
        for (const { address } of addresses) assertMayReach(hostname, address, policy());
        const [first] = addresses;
        if (!first) throw new LunaError('source_unavailable', `The name ${hostname} has no address.`);
        if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      } catch (thrown) {
        callback(toLunaError(thrown), '', 0);
      }
    });
  };
}
