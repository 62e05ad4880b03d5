export {
  type Connector,
  type GuardOptions,
  guardedConnect,
  guardedDispatcher,
  guardedFetch,
  type PolicySource,
  refusalIn,
} from './dial.ts';
export { bareHost, type EgressPolicy, isLiterallyInside } from './policy.ts';
