export { guardedDispatcher, guardedFetch } from './egress/index.ts';
export {
  type ExtensionHealthCheck,
  ExtensionKind,
  type ExtensionKindOptions,
  type ExtensionManifest,
  type ExtensionServiceConfig,
  ExtensionSource,
  type ExtensionSourceOptions,
  type ExtensionToolConfig,
  LoadingLine,
  type LoadingLineOptions,
  readManifest,
  readServiceConfig,
  readToolConfig,
  secretsOf,
} from './extension/index.ts';
export { filesIn, foldersIn, misnamedIn } from './folder-entries.ts';
export { watchFolders } from './folder-watch.ts';
export { HttpKind, type HttpKindOptions, HttpSource, type HttpSourceOptions, upstreamStatusKey } from './http/index.ts';
export {
  isReconnectable,
  isReloadable,
  type ReconnectableSource,
  type ReloadableSource,
  type SourceKind,
  type UsedKey,
  type WantedSource,
} from './kind.ts';
export {
  type CallTool,
  LuaAuthoring,
  type LuaAuthoringOptions,
  LuaKind,
  type LuaKindOptions,
  type LuaManifest,
  LuaPool,
  LuaSource,
  type LuaSourceOptions,
  luaAuthoringTools,
  luaDepthKey,
  parseLuaManifest,
} from './lua/index.ts';
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
  McpKind,
  type McpKindOptions,
  McpSource,
  type McpSourceOptions,
  type McpTarget,
  type SessionEvent,
  TokenStore,
  targetOf,
  UpstreamAuthorization,
  type UpstreamClient,
} from './mcp/index.ts';
export {
  type ParsedHelp,
  PluginKind,
  type PluginKindOptions,
  PluginSource,
  type PluginSourceOptions,
  parseHelp,
} from './plugin/index.ts';
