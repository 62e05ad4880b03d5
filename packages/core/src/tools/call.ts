import type { Cancellation } from './cancellation.ts';

/** Progress of a call, MCP's `ProgressNotification` without its token. */
export interface ToolProgress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** What a source is told about a call. */
export interface SourceCall {
  readonly signal: AbortSignal;
  /** The same as the signal, cheaper to listen to. */
  readonly cancellation?: Cancellation | undefined;
  /** Present when the caller wants to hear of progress. */
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
  /** The caller's `_meta`, without its progress token. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
  /** The MCP client on whose behalf the call is made, where there is one: a source may ask and tell it things. */
  readonly client?: CallClient | undefined;
  /** Who makes the call. */
  readonly caller?: { readonly kind: string; readonly name?: string } | undefined;
  /** Of the request that the call came with: the same in the log, in errors, and at the server that is asked. */
  readonly requestId?: string | undefined;
  /** Sent again with the request: the client's answers to what an earlier attempt asked (MCP 2026-07-28). */
  readonly retry?: Readonly<Record<string, unknown>> | undefined;
  /** Questions to the client that are open. A source counts them here: waiting for a person is not silence. */
  openQuestions?: number;
  /** How many characters of JSON the latest answer had. A source that knows sets it, so that nobody has to measure. */
  answerLength?: number | undefined;
}

/** Parameters or a result of MCP, with every field that was sent. */
export type McpObject = Readonly<Record<string, unknown>>;

/** The MCP client behind a request. */
export interface CallClient {
  /** Equal for requests of one client, and for no other client. */
  readonly key: string;
  /** What the client has declared that it can do (MCP `ClientCapabilities`). */
  readonly capabilities: McpObject;
  /** The client takes questions as results, and answers in another request (MCP 2026-07-28, `input_required`). */
  readonly takesQuestionsAsResults: boolean;
  /** The least severe log messages that it wants, where it said so. */
  readonly logLevel?: string | undefined;
  /**
   * Asks the client, such as `elicitation/create`. Throws a LunaError with the client's JSON-RPC error in
   * `details.rpc`, `cancelled` when the signal is aborted, `source_unavailable` when the client has gone.
   */
  ask(method: string, params: McpObject, options: AskOptions): Promise<McpObject>;
  /** Tells the client something that belongs to the request, such as a log message. */
  tell(method: string, params: McpObject): void;
}

export interface AskOptions {
  readonly signal: AbortSignal;
  /** Gets the client's progress, when the question carries a progress token. */
  readonly onProgress?: (progress: ToolProgress) => void;
}
