export {
  type Connector,
  type GuardOptions,
  guardedConnect,
  guardedDispatcher,
  guardedFetch,
  notSent,
  type PolicySource,
  refusalIn,
} from './dial.ts';
export { Http1Pool, type Http1PoolOptions } from './http1-pool.ts';
export { assertMayReach, bareHost, type EgressPolicy, isLiterallyInside } from './policy.ts';
