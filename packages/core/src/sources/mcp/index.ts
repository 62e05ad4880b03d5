export { type EgressPolicy, isLiterallyInside } from '../egress/index.ts';
export { openConnection } from './connect.ts';
export type { ConnectOptions, McpTarget } from './connect-options.ts';
export { McpConnection } from './connection.ts';
export { type ImportedServers, idOf, importMcpServers } from './import-json.ts';
export { McpKind, type McpKindOptions, targetOf } from './kind.ts';
export {
  type AuthorizationFlow,
  digestOf,
  isRecent,
  TokenStore,
  UpstreamAuthorization,
  type UpstreamClient,
} from './oauth/index.ts';
export { McpSource } from './source.ts';
export type { McpSourceOptions, SessionEvent } from './source-options.ts';
export { StdioTransport, type StdioTransportOptions } from './stdio-transport.ts';
export type { Authorize } from './way-out.ts';
