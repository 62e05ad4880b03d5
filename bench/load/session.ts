/** One client of a target, past its handshake. */
export interface Session {
  /** Sends a request and settles with its `result`. Throws when the target answers with an error or with anything else. */
  request(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Opens the stream for the server's own messages, where the transport does not have one from the start. */
  openStream(): Promise<void>;
  /** Ends the session and its sockets. */
  close(): Promise<void>;
}

/** The longest time for one answer, in milliseconds: a target that hangs fails the call, not the bench. */
export const answerLimitMs = 30_000;

export const handshake = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'luna-bench', version: '1.0.0' },
};

/** A JSON-RPC message as it comes from a target. */
export interface RpcMessage {
  readonly id?: unknown;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** The result of the answer to request `id`. Throws when it is an error, or not the answer to that request. */
export function resultOf(message: RpcMessage, id: number): Record<string, unknown> {
  if (message.id !== id) throw new Error('an answer carried the id of another request');
  if (message.error) throw new Error(`error ${message.error.code}: ${message.error.message}`);
  if (!message.result) throw new Error('an answer had neither result nor error');
  return message.result;
}
