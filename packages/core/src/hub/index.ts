export { type HubCall, type HubListKind, McpHub, type McpHubOptions } from './hub.ts';
export { HubHttp, type HubHttpOptions, type HubRequest } from './hub-http.ts';
export type { Refusal } from './json-answer.ts';
export type { Page } from './pages.ts';
export { PeerCatalog, type VisiblePeer } from './peer-catalog.ts';
export { PlainJsonRpc, type PlainJsonRpcOptions } from './plain-json-rpc.ts';
export { type RpcError, toRpcError } from './rpc-error.ts';
export { ToolList } from './tool-list.ts';
export { type ArgumentOverride, shortName, type ToolOverride, type ToolOverrides } from './tool-view.ts';
