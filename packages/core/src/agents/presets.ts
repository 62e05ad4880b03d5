import type { AgentLimits, AgentPresetConfig } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { type RegisteredTool, type Selection, selectionOf, type ToolRegistry } from '../tools/index.ts';
import type { Agent } from './agent.ts';

/** An agent with all that a name stands for. */
export interface ResolvedAgent {
  /** What clients ask for. */
  readonly name: string;
  readonly agent: Agent;
  readonly selection: Selection;
  readonly limits: AgentLimits;
  readonly preset: AgentPresetConfig | undefined;
}

export interface Resolving {
  readonly presets: Readonly<Record<string, AgentPresetConfig>>;
  readonly agents: ReadonlyMap<string, Agent>;
  /** Of agents that are used without a preset. */
  readonly selection: Selection;
  readonly limits: AgentLimits;
}

/**
 * What a name stands for: a preset, or an agent. Undefined when it is neither. Throws `forbidden` for a preset that is
 * switched off, `conflict` for one whose agent is not there.
 */
export function resolveAgent(
  name: string,
  { presets, agents, selection, limits }: Resolving,
): ResolvedAgent | undefined {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (!preset) {
    const agent = agents.get(name);
    return agent && { name, agent, selection, limits, preset: undefined };
  }
  if (!preset.enabled) throw new LunaError('forbidden', `The preset "${name}" is switched off.`);
  const agent = agents.get(preset.base_agent);
  if (!agent)
    throw new LunaError(
      'conflict',
      `The preset "${name}" builds on the agent "${preset.base_agent}", which is not there. The agents are: ${[...agents.keys()].join(', ')}.`,
    );
  return { name, agent, selection: presetSelection(preset), limits: { ...limits, ...given(preset.limits) }, preset };
}

/** Made once for each version of a preset: it is asked for every tool. */
const selections = new WeakMap<object, Selection>();

/** The tools of a preset: those that it names as enabled. */
export function presetSelection({ tool_config }: Pick<AgentPresetConfig, 'tool_config'>): Selection {
  const known = selections.get(tool_config);
  if (known) return known;
  const settings = Object.entries(tool_config).map(([tool, { enabled }]) => [tool, enabled === true] as const);
  const selection = selectionOf(new Map(settings), () => false);
  selections.set(tool_config, selection);
  return selection;
}

/** Tools that a preset names as enabled and that are not there. */
export function missingTools(
  { tool_config }: Pick<AgentPresetConfig, 'tool_config'>,
  registry: Pick<ToolRegistry, 'tools'>,
): string[] {
  const tools = [...registry.tools().values()];
  return Object.entries(tool_config)
    .filter(([name, { enabled }]) => enabled === true && !tools.some((tool) => isNamed(tool, name)))
    .map(([name]) => name);
}

function isNamed(tool: RegisteredTool, name: string): boolean {
  return tool.qualifiedName === name || tool.name === name || tool.tool.name === name;
}

function given<Values extends object>(
  values: Values | undefined,
): { [Key in keyof Values]?: Exclude<Values[Key], undefined> } {
  const entries = Object.entries(values ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Values]?: Exclude<Values[Key], undefined> };
}
