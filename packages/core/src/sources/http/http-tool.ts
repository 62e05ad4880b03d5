import type { Tool, ToolArguments } from '../../tools/index.ts';

/** A request that is ready to be sent. */
export interface PlannedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

/** How a call is made. */
export interface CallSettings {
  readonly timeoutMs: number;
  readonly retries: number;
  readonly maxResponseBytes: number;
  readonly cacheMs: number;
}

/** A tool that is one request. */
export interface HttpTool {
  readonly tool: Tool;
  readonly settings: CallSettings;
  /** A path into the JSON of the answer. */
  readonly pick?: string | undefined;
  /** Makes the request for checked arguments. `secret` fills in `${NAME}`. Throws `invalid_input` for what cannot be sent. */
  readonly plan: (args: ToolArguments, secret: (text: string) => string) => PlannedRequest;
}

interface GivenSettings {
  readonly timeout_seconds?: number | undefined;
  readonly retries?: number | undefined;
  readonly max_response_bytes?: number | undefined;
  readonly cache_ttl_seconds?: number | undefined;
}

/** Settings of a tool, of its file where the tool says nothing, or the defaults. */
export function settingsOf(file: GivenSettings, tool: GivenSettings = {}): CallSettings {
  return {
    timeoutMs: (tool.timeout_seconds ?? file.timeout_seconds ?? 30) * 1_000,
    retries: tool.retries ?? file.retries ?? 2,
    maxResponseBytes: tool.max_response_bytes ?? file.max_response_bytes ?? 5 * 1024 * 1024,
    cacheMs: (tool.cache_ttl_seconds ?? file.cache_ttl_seconds ?? 0) * 1_000,
  };
}

/** An address from its beginning and a path, both of which may have more to them. */
export function joinUrl(base: string, path: string): URL {
  return new URL(base.replace(/\/+$/, '') + path);
}
