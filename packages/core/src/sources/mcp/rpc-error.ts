import { LunaError } from '../../errors/index.ts';

/** An error object of JSON-RPC, kept whole in `details.rpc` so that it can be relayed as it came. */
export function rpcError(error: unknown): LunaError {
  return new LunaError('upstream_error', messageIn(error), { details: { rpc: error } });
}

/** What a server sends as an error may be anything. */
function messageIn(error: unknown): string {
  if (typeof error === 'string') return error.slice(0, 1_000);
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  return typeof message === 'string' ? message : 'The server answered with an error, and does not say which.';
}
