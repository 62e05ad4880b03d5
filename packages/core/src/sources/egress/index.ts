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
export { assertMayReach, bareHost, type EgressPolicy, isLiterallyInside } from './policy.ts';
