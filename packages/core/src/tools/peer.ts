import type { CallClient, McpObject, SourceCall } from './call.ts';

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
  /** Asks to be told of changes of a resource, until the function that it gives is called. Throws as a call does. */
  subscribe(uri: string): Promise<() => void>;
  /** Wants log messages from this level on, for the one that asks; the server is told the least severe of all. */
  setLogLevel(asker: object, level: string | undefined): void;
  /** Tells the server that a client has other roots now. */
  rootsChanged(client: CallClient): void;
  onNotification(listener: (notification: PeerNotification) => void): () => void;
  /** Clients that a question can be for that belongs to no request. */
  addClients(clients: () => Iterable<CallClient>): () => void;
}
