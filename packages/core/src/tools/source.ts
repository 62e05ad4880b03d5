import type { SourceCall } from './call.ts';
import type { ToolExample } from './define-tool.ts';
import type { McpPeer } from './peer.ts';
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
  /** What the source tells agents about its tools as a whole. */
  readonly systemPrompt?: string | undefined;
  /** Examples of calls of a tool, by the name that {@link list} gave it. */
  examplesOf?(name: string): readonly ToolExample[];
  /** Starts; settles when the first attempt has succeeded or failed. A failure shows in {@link health}; it does not throw. */
  start(): Promise<void>;
  /** Ends everything that the source started. Safe to call twice. */
  close(): Promise<void>;
  /** What a source that is an MCP server offers beside tools. */
  readonly peer?: McpPeer;
}
