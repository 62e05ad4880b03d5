export { UpstreamAuthorization, type UpstreamAuthorizationOptions } from './authorization.ts';
export { authorizedDispatch, authorizedFetch } from './bearer.ts';
export { type Challenge, digestOf, isRecent } from './browser-flow.ts';
export type { AuthorizationFlow, UpstreamClient } from './record.ts';
export { TokenStore, type TokenStoreOptions } from './token-store.ts';
