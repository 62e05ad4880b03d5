export { openConnection } from './connect.ts';
export { type ConnectOptions, McpConnection, type McpTarget } from './connection.ts';
export { type EgressPolicy, isLiterallyInside } from './egress/index.ts';
export { type ImportedServers, idOf, importMcpServers } from './import-json.ts';
export {
  type AuthorizationFlow,
  digestOf,
  isRecent,
  TokenStore,
  UpstreamAuthorization,
  type UpstreamClient,
} from './oauth/index.ts';
export { McpSource, type McpSourceOptions, type SessionEvent } from './source.ts';
export { StdioTransport, type StdioTransportOptions } from './stdio-transport.ts';
export type { Authorize } from './way-out.ts';
