import type { McpHub } from '../hub/index.ts';
import {
  BuiltInSource,
  type RegisteredTool,
  type SourceCall,
  type SourceStatus,
  type Tool,
  type ToolArguments,
  type ToolRegistry,
  type ToolResult,
  toToolResult,
} from '../tools/index.ts';

/** How a hub is, and the command-line plugins that it serves. */
export interface HubHealth {
  readonly hub: string;
  /** `degraded`: a plugin is not well. */
  readonly status: 'ok' | 'degraded';
  /** How many tools the hub shows. */
  readonly tools: number;
  readonly plugins: readonly PluginHealth[];
}

export interface PluginHealth {
  readonly name: string;
  readonly status: SourceStatus;
  /** How many of its tools the hub shows. */
  readonly tools: number;
  /** What is wrong and what to do. Left out when all is well. */
  readonly reason?: string;
}

/** The name of the tool by which clients ask. */
export const healthToolName = 'health';

/**
 * How a hub is for those who use it. It tells of plugins of which the hub shows a tool, and of those that have no tools
 * because they are broken.
 */
export function healthOfHub(hub: McpHub, registry: ToolRegistry): HubHealth {
  const shown = [...hub.tools.visible.values()];
  const plugins = registry
    .sources()
    .filter(({ kind }) => kind === 'plugin')
    .map((source) => ({ source, tools: shown.filter((tool) => tool.source === source).length }))
    .filter(({ source, tools }) => tools > 0 || source.list().length === 0)
    .map(({ source, tools }): PluginHealth => {
      const { status, reason } = source.health();
      return { name: source.id, status, tools, ...(reason !== undefined && { reason }) };
    });
  const isWell = plugins.every(({ status }) => status === 'ready' || status === 'starting');
  return { hub: hub.name, status: isWell ? 'ok' : 'degraded', tools: shown.length, plugins };
}

/** Whether a hub with this selection shows a tool of a plugin. */
export function showsPlugins(registry: ToolRegistry, selected: (tool: RegisteredTool) => boolean): boolean {
  for (const tool of registry.tools().values()) if (tool.source.kind === 'plugin' && selected(tool)) return true;
  return false;
}

const healthTool: Tool = {
  name: healthToolName,
  description: 'Says how the command-line plugins behind this hub are, and what is wrong with those that are not well.',
  inputSchema: { type: 'object', properties: {} },
  annotations: { readOnlyHint: true },
};

/** Luna's own tool `health`, for hubs with plugins. A tool of somebody else's with that name keeps it. */
export class HealthTool extends BuiltInSource {
  override readonly id = 'luna:health';
  readonly #healthOf: (hub: string) => HubHealth | undefined;
  readonly #tools = [healthTool];

  constructor(healthOf: (hub: string) => HubHealth | undefined) {
    super();
    this.#healthOf = healthOf;
  }

  /** Puts the tool into a registry while there are plugins in it, and nobody else's tool has the name. */
  offerIn(registry: ToolRegistry): void {
    const tools = [...registry.tools().values()];
    const isTaken = tools.some(({ source, tool }) => source !== this && tool.name === healthToolName);
    const isWanted = !isTaken && tools.some(({ source }) => source.kind === 'plugin');
    if (isWanted === (registry.source(this.id) !== undefined)) return;
    if (isWanted) registry.add(this);
    else registry.remove(this.id);
  }

  override list(): readonly Tool[] {
    return this.#tools;
  }

  override async call(_tool: string, _args: ToolArguments, { caller }: SourceCall): Promise<ToolResult> {
    const health = caller?.kind === 'hub' && caller.name !== undefined ? this.#healthOf(caller.name) : undefined;
    return toToolResult(health ?? [false, 'Only clients of a hub can ask how it is.']);
  }
}
