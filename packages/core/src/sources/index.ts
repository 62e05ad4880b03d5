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
  type EgressPolicy,
  type ImportedServers,
  idOf,
  importMcpServers,
  isLiterallyInside,
  McpSource,
  type McpSourceOptions,
  type McpTarget,
} from './mcp/index.ts';
