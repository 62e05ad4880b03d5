import { type HubConfig, hubName, type MasterConfig, mainHubName } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import type { RegisteredTool } from '../tools/index.ts';

/** What may become of a hub in the configuration. */

/** What may be changed of a hub. */
export interface HubChange {
  /** Another name: the hub keeps its key and its settings, and answers at another address. */
  readonly name?: string;
  readonly enabled?: boolean;
  /** `null` takes the limit away. */
  readonly rate_limit?: { readonly calls_per_minute: number } | null;
  /** Switches all tools that there are now on or off. Settings in `tool_config` win over it. */
  readonly all_tools?: boolean;
  /** Merged tool by tool; `null` takes a tool's own setting away. */
  readonly tool_config?: Readonly<Record<string, Partial<HubConfig['tool_config'][string]> | null>>;
}

/** Throws `not_found`. */
export function hubIn(config: MasterConfig, name: string): MasterConfig['mcp_servers'][string] {
  const hub = Object.hasOwn(config.mcp_servers, name) ? config.mcp_servers[name] : undefined;
  if (!hub) throw new LunaError('not_found', `There is no hub "${name}".`);
  return hub;
}

/** `tools`: those that there are now. Throws as {@link hubIn}, and `conflict` for a name that it cannot have. */
export function changeHubIn(
  config: MasterConfig,
  name: string,
  change: HubChange,
  tools: readonly RegisteredTool[],
): void {
  const after = change.name ?? name;
  const hub = hubIn(config, name);
  if (after !== name) renameHub(config, name, after);
  if (change.enabled !== undefined) hub.enabled = change.enabled;
  if (change.rate_limit === null) delete hub.rate_limit;
  else if (change.rate_limit) hub.rate_limit = { ...hub.rate_limit, ...change.rate_limit };
  for (const { name, qualifiedName } of tools) {
    // A setting under the qualified name wins, so it follows where there is one.
    const settings = Object.hasOwn(hub.tool_config, qualifiedName) ? [name, qualifiedName] : [name];
    for (const key of settings)
      hub.tool_config[key] = { ...hub.tool_config[key], enabled_in_mcp: change.all_tools === true };
  }
  for (const [tool, setting] of Object.entries(change.tool_config ?? {})) {
    if (setting === null) delete hub.tool_config[tool];
    else hub.tool_config[tool] = { ...hub.tool_config[tool], ...setting };
  }
}

/** Throws as {@link hubIn}, and `conflict` for one that there has to be. */
export function deleteHubIn(config: MasterConfig, name: string): void {
  hubIn(config, name);
  if (name === mainHubName) {
    throw new LunaError('conflict', 'The hub "main" cannot be deleted. You can switch it off.');
  }
  if (Object.keys(config.mcp_servers).length === 2) {
    throw new LunaError(
      'conflict',
      `"${name}" is the only hub with a key. Create another one before you delete it, or switch it off.`,
    );
  }
  delete config.mcp_servers[name];
}

/** Throws `invalid_input` for a name that cannot be one of a hub. */
export function assertHubName(name: string): void {
  const parsed = hubName.safeParse(name);
  if (!parsed.success)
    throw new LunaError(
      'invalid_input',
      `"${name}" cannot be the name of a hub: ${parsed.error.issues[0]?.message ?? 'not legal'}.`,
    );
  if (name === mainHubName)
    throw new LunaError(
      'invalid_input',
      'The name "main" is kept for the hub that people let clients in to. Use another name.',
    );
}

/** Throws `conflict` for a name that a hub has. */
export function assertFree(config: MasterConfig, name: string): void {
  if (Object.hasOwn(config.mcp_servers, name))
    throw new LunaError('conflict', `There is a hub named "${name}" already.`);
}

/** What names the hub elsewhere names it anew. */
function renameHub(config: MasterConfig, name: string, after: string): void {
  const hub = config.mcp_servers[name];
  if (name === mainHubName) throw new LunaError('conflict', 'The hub "main" cannot be renamed.');
  assertFree(config, after);
  if (hub) config.mcp_servers[after] = hub;
  delete config.mcp_servers[name];
  if (config.luna.plain_hub === name) config.luna.plain_hub = after;
}
