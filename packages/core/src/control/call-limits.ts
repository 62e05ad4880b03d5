import type { MasterConfig } from '../config/index.ts';
import type { TimeoutLimits, ToolCall } from '../tools/index.ts';

/** What the configuration says of the limits of a call. */

const defaultLimits: TimeoutLimits = { idleMs: 120_000, absoluteMs: 3_600_000 };

/** The most characters of its result; 0 is no limit. */
export function resultLimitOf({ tool }: ToolCall, { tool_configs, luna }: MasterConfig): number {
  if (tool.source.kind === 'builtin') return 0;
  const { qualifiedName, name } = tool;
  const key = Object.hasOwn(tool_configs, qualifiedName) ? qualifiedName : name;
  const own = Object.hasOwn(tool_configs, key) ? tool_configs[key] : undefined;
  return own?.max_result_bytes ?? luna.max_result_bytes;
}

/** How long it may take. */
export function timeLimitsOf(
  { tool }: ToolCall,
  { remote_mcp_servers }: MasterConfig,
  limits: TimeoutLimits = defaultLimits,
): TimeoutLimits {
  const { id } = tool.source;
  const seconds = Object.hasOwn(remote_mcp_servers, id) ? remote_mcp_servers[id]?.timeout_seconds : undefined;
  if (seconds === undefined) return limits;
  return { idleMs: seconds * 1000, absoluteMs: Math.max(seconds * 1000, limits.absoluteMs) };
}
