import {
  defaultModelOf,
  endpointOf,
  type ModelSettings,
  missingTools,
  modelNames,
  presetSelection,
} from '../agents/index.ts';
import {
  type AgentPresetConfig,
  type ConfigStore,
  type MasterConfig,
  masterConfigSchema,
  presetName,
} from '../config/index.ts';
import { LunaError, messageOf } from '../errors/index.ts';
import type { AgentRunFilter } from '../store/index.ts';
import type { Selection, ToolRegistry } from '../tools/index.ts';
import type { AgentModelView, AgentView, PresetToolView, PresetView, RunSummaryView, RunView } from './agent-views.ts';
import type { LunaAgents } from './agents.ts';

/** Settings of a preset to make, with its name. */
export type NewPreset = Partial<AgentPresetConfig> & { readonly name: string };

/** What may be changed of a preset. `null` takes a setting away; `tool_config` is merged tool by tool. */
export type PresetChange = {
  readonly [Setting in Exclude<keyof AgentPresetConfig & string, 'tool_config'>]?: AgentPresetConfig[Setting] | null;
} & {
  readonly name?: string;
  readonly tool_config?: Readonly<Record<string, { readonly enabled?: boolean } | null>>;
};

export interface AdministeredAgents {
  readonly config: ConfigStore;
  readonly registry: ToolRegistry;
  readonly agents: LunaAgents;
  settled(limitMs: number): Promise<void>;
}

/** What people and programs may see and change of agents. A method returns once a change is on the disk and in force. */
export class AgentAdministration {
  readonly #luna: AdministeredAgents;

  constructor(luna: AdministeredAgents) {
    this.#luna = luna;
  }

  /** The agents that presets can build on, and files of the home of which none can be used. */
  builtIn(): AgentView[] {
    const { agents, own } = this.#luna.agents;
    const toolCount = agents.ownToolCount();
    const files = own.state();
    const shown = [...agents.builtIn().values()].map(({ name, description }) => {
      const from = files.find((file) => file.agents.includes(name));
      return {
        name,
        description,
        toolCount,
        ...(from && { file: from.file }),
        ...(from?.problem !== undefined && { problem: from.problem }),
      };
    });
    const broken = files
      .filter(({ agents: named }) => named.length === 0)
      .map(({ file, problem }) => ({
        name: file.replace(/\.m?[jt]s$/, ''),
        description: '',
        toolCount: 0,
        file,
        ...(problem !== undefined && { problem }),
      }));
    return [...shown, ...broken];
  }

  /** The models that are configured, the default first, also where none is set. Nothing is asked over the network. */
  async models(): Promise<AgentModelView[]> {
    const settings = await this.#luna.agents.modelSettings();
    const names = modelNames(settings);
    const standard = defaultModelOf(settings);
    return [standard, ...names.filter((name) => name !== standard)].map((name) => {
      const problem = problemOfModel(settings, name);
      return { name, isDefault: name === standard, ...(problem !== undefined && { problem }) };
    });
  }

  presets(): PresetView[] {
    return Object.keys(this.#presets()).map((name) => this.preset(name));
  }

  /** Throws `not_found`. */
  preset(name: string): PresetView {
    const preset = presetOf(this.#luna.config.config, name);
    const { registry, agents } = this.#luna;
    const missing = missingTools(preset, registry);
    const problem = problemOf(preset, missing, [...agents.agents.builtIn().keys()]);
    return {
      name,
      baseAgent: preset.base_agent,
      enabled: preset.enabled,
      ...(preset.description !== undefined && { description: preset.description }),
      ...(preset.model !== undefined && { model: preset.model }),
      ...(preset.instructions !== undefined && { instructions: preset.instructions }),
      ...(preset.temperature !== undefined && { temperature: preset.temperature }),
      showProgress: preset.show_progress,
      ...(preset.limits && { limits: preset.limits }),
      toolConfig: preset.tool_config,
      toolCount: agents.agents.toolsOf(name).length,
      missingTools: missing,
      ...(problem !== undefined && { problem }),
    };
  }

  /** All tools, with whether a preset has them, and those that it names and that are gone. Throws `not_found`. */
  presetTools(name: string): PresetToolView[] {
    const preset = presetOf(this.#luna.config.config, name);
    const selection = presetSelection(preset);
    const present = [...this.#luna.registry.tools().values()]
      .filter(({ source }) => source.kind !== 'builtin')
      .map((tool) => ({
        name: tool.name,
        source: tool.source.id,
        ...(tool.tool.description !== undefined && { description: tool.tool.description }),
        enabled: selection(tool),
        missing: false,
      }));
    const gone = missingTools(preset, this.#luna.registry).map((tool) => ({
      name: tool,
      enabled: true,
      missing: true,
    }));
    return [...present, ...gone];
  }

  /** What a preset may call. Throws `not_found`, and `forbidden` for one that is switched off. */
  selectionOf(name: string): Selection {
    return this.#luna.agents.presetSelection(name);
  }

  /** Throws `invalid_input`, and `conflict` for a name that is taken or a base agent that is not there. */
  async createPreset({ name, ...settings }: NewPreset): Promise<PresetView> {
    const preset = parsePreset(settings);
    await this.#change((config) => {
      this.#assertFree(config, name);
      this.#assertAgent(preset.base_agent);
      config.agent_presets[name] = preset;
    });
    return this.preset(name);
  }

  /** Throws as {@link createPreset} does, and `not_found`. */
  async changePreset(name: string, change: PresetChange): Promise<PresetView> {
    const { name: newName, tool_config, ...settings } = change;
    const after = newName ?? name;
    await this.#change((config) => {
      const merged: Record<string, unknown> = { ...presetOf(config, name) };
      for (const [key, value] of Object.entries(settings)) {
        if (value === null) delete merged[key];
        else if (value !== undefined) merged[key] = value;
      }
      const tools = { ...(merged.tool_config as AgentPresetConfig['tool_config']) };
      for (const [tool, setting] of Object.entries(tool_config ?? {})) {
        if (setting === null) delete tools[tool];
        else tools[tool] = { ...tools[tool], ...setting };
      }
      const preset = parsePreset({ ...merged, tool_config: tools });
      if (typeof settings.base_agent === 'string') this.#assertAgent(settings.base_agent);
      if (after !== name) {
        this.#assertFree(config, after);
        delete config.agent_presets[name];
      }
      config.agent_presets[after] = preset;
    });
    return this.preset(after);
  }

  /** Throws `not_found`. */
  async deletePreset(name: string): Promise<void> {
    await this.#change((config) => {
      presetOf(config, name);
      delete config.agent_presets[name];
    });
  }

  /** The latest first. */
  runs(filter: AgentRunFilter): Promise<RunSummaryView[]> {
    return this.#luna.agents.runs.list(filter);
  }

  /** Throws `not_found`. */
  async run(id: string): Promise<RunView> {
    const run = await this.#luna.agents.runs.get(id);
    if (!run) throw new LunaError('not_found', `There is no run "${id}". Runs are kept for luna.agent_runs_days.`);
    return {
      ...run,
      steps: run.steps.map((step) => (step.kind === 'model' ? { ...step, wants: [...step.wants] } : step)),
    };
  }

  apiKey(): Promise<string> {
    return this.#luna.agents.apiKey();
  }

  regenerateApiKey(): Promise<string> {
    return this.#luna.agents.regenerateKey();
  }

  #presets(): MasterConfig['agent_presets'] {
    return this.#luna.config.config.agent_presets;
  }

  #assertFree(config: MasterConfig, name: string): void {
    const parsed = presetName.safeParse(name);
    if (!parsed.success)
      throw new LunaError(
        'invalid_input',
        `"${name}" cannot be the name of a preset: ${parsed.error.issues[0]?.message}.`,
      );
    if (Object.hasOwn(config.agent_presets, name))
      throw new LunaError('conflict', `There is a preset named "${name}" already.`);
    if (this.#luna.agents.agents.builtIn().has(name))
      throw new LunaError('conflict', `"${name}" is the name of an agent. Use another name for the preset.`);
  }

  #assertAgent(name: string): void {
    const names = [...this.#luna.agents.agents.builtIn().keys()];
    if (!names.includes(name))
      throw new LunaError(
        'invalid_input',
        `There is no agent "${name}" to build on. The agents are: ${names.join(', ')}.`,
      );
  }

  async #change(change: (config: MasterConfig) => void): Promise<void> {
    await this.#luna.config.update(change);
    await this.#luna.settled(0);
  }
}

function presetOf({ agent_presets }: MasterConfig, name: string): AgentPresetConfig {
  const preset = Object.hasOwn(agent_presets, name) ? agent_presets[name] : undefined;
  if (!preset) throw new LunaError('not_found', `There is no preset "${name}".`);
  return preset;
}

function parsePreset(settings: unknown): AgentPresetConfig {
  const parsed = masterConfigSchema.shape.agent_presets.safeParse({ preset: settings });
  const preset = parsed.data?.preset;
  if (preset) return preset;
  const issue = parsed.error?.issues[0];
  throw new LunaError(
    'invalid_input',
    `The preset does not fit: ${issue?.path.slice(1).join('.') ?? ''}: ${issue?.message ?? 'not legal'}.`,
  );
}

function problemOfModel(settings: ModelSettings, name: string): string | undefined {
  try {
    endpointOf(settings, name === '' ? undefined : name);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function problemOf(
  { base_agent }: AgentPresetConfig,
  missing: readonly string[],
  agents: readonly string[],
): string | undefined {
  const problems: string[] = [];
  if (!agents.includes(base_agent))
    problems.push(`Its agent "${base_agent}" is not there. Choose one of ${agents.join(', ')}.`);
  if (missing.length > 0)
    problems.push(
      `It names tools that are not there: ${missing.join(', ')}. Bring back their source, or take them out of the preset.`,
    );
  return problems.length > 0 ? problems.join(' ') : undefined;
}
