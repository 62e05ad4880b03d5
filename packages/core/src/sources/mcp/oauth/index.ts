export {
  type Challenge,
  digestOf,
  isRecent,
  UpstreamAuthorization,
  type UpstreamAuthorizationOptions,
} from './authorization.ts';
export { authorizedDispatch, authorizedFetch } from './bearer.ts';
export type { AuthorizationFlow, UpstreamClient } from './record.ts';
export { TokenStore, type TokenStoreOptions } from './token-store.ts';
