import { redactIn } from '../config/index.ts';
import { toLunaError } from '../errors/index.ts';

/** An error object of JSON-RPC 2.0. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** MCP 2025-11-25, resources, error handling. */
  resourceNotFound: -32002,
} as const;

/**
 * The one place where errors of Luna become errors of JSON-RPC. What an upstream answered is relayed as it came; an
 * unknown tool is `-32602` (MCP, tools, error handling); everything else is `-32603` with Luna's code in `data`.
 * `redact` covers secrets, also in what is relayed.
 */
export function toRpcError(thrown: unknown, redact?: (text: string) => string): RpcError {
  const error = rpcErrorOf(thrown);
  return redact ? (redactIn(error, redact) as RpcError) : error;
}

function rpcErrorOf(thrown: unknown): RpcError {
  const error = toLunaError(thrown);
  const relayed = error.details?.rpc;
  if (isRpcError(relayed)) return relayed;
  const data = { ...error.details, code: error.code };
  const code =
    error.code === 'tool_not_found' || error.code === 'invalid_input' ? rpcCodes.invalidParams : rpcCodes.internal;
  return { code, message: error.message, data };
}

function isRpcError(value: unknown): value is RpcError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'number' &&
    'message' in value
  );
}
