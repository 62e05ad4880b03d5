import type { Dispatcher } from 'undici';
import {
  bareHost,
  type Connector,
  guardedConnect,
  guardedDispatcher,
  guardedFetch,
  isLiterallyInside,
  type PolicySource,
} from './egress/index.ts';

/** The way to one server over HTTP, for the SDK's transports (`fetch`) and for Luna's own requests (`connect`). */
export interface WayOut {
  readonly fetch: typeof fetch;
  readonly connect: Connector;
  close(): Promise<void>;
}

/**
 * Opens the way to a server. The host of its URL counts as allowed when it says by itself that it is inside
 * (`localhost`, `10.0.0.7`): whoever wrote it meant that. Any other way inside needs the policy.
 */
export function openWayOut(url: URL, policy: PolicySource = {}): WayOut {
  const now = () => {
    const { allowedHosts = [], ...rest } = typeof policy === 'function' ? policy() : policy;
    return {
      ...rest,
      allowedHosts: isLiterallyInside(url.hostname) ? [...allowedHosts, bareHost(url.hostname)] : allowedHosts,
    };
  };
  // How long an answer may take is for whoever asks.
  const dispatcher: Dispatcher = guardedDispatcher(now, { headersTimeout: 0, bodyTimeout: 0 });
  return {
    fetch: guardedFetch(dispatcher),
    connect: guardedConnect(now),
    close: () => dispatcher.destroy(),
  };
}
