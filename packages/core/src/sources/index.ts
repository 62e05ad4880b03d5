export {
  type ExtensionManifest,
  ExtensionSource,
  type ExtensionSourceOptions,
  type ExtensionToolConfig,
  readManifest,
  readToolConfig,
} from './extension/index.ts';
export { watchFolders } from './folder-watch.ts';
export {
  type AuthorizationFlow,
  type Authorize,
  digestOf,
  type EgressPolicy,
  type ImportedServers,
  idOf,
  importMcpServers,
  isLiterallyInside,
  isRecent,
  McpSource,
  type McpSourceOptions,
  type McpTarget,
  type SessionEvent,
  TokenStore,
  UpstreamAuthorization,
  type UpstreamClient,
} from './mcp/index.ts';
