export { type HubCall, McpHub, type McpHubOptions } from './hub.ts';
export { HubHttp, type HubHttpOptions, type HubRequest } from './hub-http.ts';
export { type RpcError, toRpcError } from './rpc-error.ts';
export { ToolList, type ToolPage } from './tool-list.ts';
