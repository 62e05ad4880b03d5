import type { Cancellation } from './cancellation.ts';
import type { CallClient, McpPeer } from './peer.ts';
import type { ToolResult } from './result.ts';
import type { Tool, ToolArguments } from './tool.ts';

/**
 * `ready`: serves. `degraded`: serves the last good version, something newer is broken. `down`: calls fail now.
 * `needs_authorization`: calls fail until a person has authorized Luna at the server.
 */
export type SourceStatus = 'starting' | 'ready' | 'degraded' | 'down' | 'needs_authorization' | 'stopped';

/** How a source is, and why. */
export interface SourceHealth {
  readonly status: SourceStatus;
  /** What is wrong and what to do, for a person. Present unless all is well. */
  readonly reason?: string;
  /** The last lines that the source's process wrote to standard error, oldest first. */
  readonly log?: readonly string[];
  /** When the source will be tried again, in milliseconds since the epoch. */
  readonly retryAt?: number;
  /** The process that serves the source, where it has one of its own. */
  readonly pid?: number;
}

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
  /** Sent again with the request: the client's answers to what an earlier attempt asked (MCP 2026-07-28). */
  readonly retry?: Readonly<Record<string, unknown>> | undefined;
  /** Questions to the client that are open. A source counts them here: waiting for a person is not silence. */
  openQuestions?: number;
}

/**
 * Where tools come from. One small interface: a source lists, calls, tells when its list or health changed,
 * and starts and ends what it needs.
 */
export interface ToolSource {
  /** Unique within a registry, stable over restarts; also what its tools are qualified with when names collide. */
  readonly id: string;
  /** What kind of source this is, for people and filters: `extension`, `mcp`, … */
  readonly kind: string;
  /** A name for people. */
  readonly title?: string;
  /** The tools as they are now. The same array until they change. */
  list(): readonly Tool[];
  /** Calls a tool by the name that {@link list} gave it. Throws a LunaError when the call could not be made. */
  call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult>;
  /** Calls the listener after the list or the health changed; returns how to stop. */
  onChange(listener: () => void): () => void;
  health(): SourceHealth;
  /** Starts; settles when the first attempt has succeeded or failed. A failure shows in {@link health}; it does not throw. */
  start(): Promise<void>;
  /** Ends everything that the source started. Safe to call twice. */
  close(): Promise<void>;
  /** What a source that is an MCP server offers beside tools. */
  readonly peer?: McpPeer;
}
