import type { SourceCall, ToolProgress } from './source.ts';

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

/** The lists that an MCP server has beside its tools. */
export type PeerListKind = 'resources' | 'resourceTemplates' | 'prompts';

/** A notification of an MCP server that belongs to no request. */
export interface PeerNotification {
  readonly method: string;
  readonly params: McpObject;
  /** The client that it is for, where that can be told. */
  readonly client?: CallClient;
}

/**
 * What an MCP server offers beside tools: resources, prompts, completion, log messages. Everything passes as it was
 * sent. The lists are kept while the server is away, like its tools.
 */
export interface McpPeer {
  /** Another number after each change of lists or capabilities. */
  readonly revision: number;
  /** What the server has declared (MCP `ServerCapabilities`). */
  readonly capabilities: McpObject;
  /** The server's advice for the model. */
  readonly instructions: string | undefined;
  list(kind: PeerListKind): readonly McpObject[];
  /** Sends a request other than `tools/call` and returns the result. Throws as a call does. */
  request(method: string, params: McpObject, call: SourceCall): Promise<McpObject>;
  /** Asks to be told of changes of a resource, until the function that it returns is called. */
  subscribe(uri: string): () => void;
  /** Wants log messages from this level on, for the one that asks; the server is told the least severe of all. */
  setLogLevel(asker: object, level: string | undefined): void;
  /** Tells the server that a client has other roots now. */
  rootsChanged(client: CallClient): void;
  onNotification(listener: (notification: PeerNotification) => void): () => void;
  /** Clients that a question can be for that belongs to no request. */
  addClients(clients: () => Iterable<CallClient>): () => void;
}
