import { AgentHttp, Agents, HomeAgents, type ModelSettings, presetSelection } from '../agents/index.ts';
import { agentKeyName, type EnvFile, type MasterConfig } from '../config/index.ts';
import { LunaError, messageOf } from '../errors/index.ts';
import type { SchedulableAgent } from '../schedule/index.ts';
import { AgentRuns, type Store } from '../store/index.ts';
import type { RegisteredTool, Selection, ToolPipeline, ToolRegistry } from '../tools/index.ts';
import type { RunSummaryView } from './agent-views.ts';
import { agentKeyPrefix, keysEqual, makeKey } from './keys.ts';
import { RunLog } from './run-log.ts';
import type { ScheduledAgents, ScheduledPrompt } from './schedules.ts';

export interface LunaAgentsOptions {
  readonly registry: ToolRegistry;
  readonly pipeline: ToolPipeline;
  readonly config: () => MasterConfig;
  readonly env: EnvFile;
  /** Variables that win over `.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly store: Store;
  /** The folder with agents of one's own. */
  readonly folder: string;
  readonly redact: (text: string) => string;
  readonly onRun: (run: RunSummaryView) => void;
  /** Agents of the home came, went or changed. */
  readonly onChange: () => void;
  readonly onLog: (line: string) => void;
}

/** For how long what was read of `.env` is believed, in milliseconds. */
const freshMs = 1_000;
/** How long turns may go on when Luna stops, in milliseconds. All of Luna has 10 seconds. */
const drainLimitMs = 3_000;
const modelVariables = ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'LUNA_DEFAULT_LLM'];

/** The agents of one Luna: wired to its configuration, its keys and its database. */
export class LunaAgents implements ScheduledAgents {
  readonly agents: Agents;
  readonly http: AgentHttp;
  readonly runs: RunLog;
  /** Agents of the home's own. */
  readonly own: HomeAgents;
  readonly #options: LunaAgentsOptions;
  #values: { readonly readAt: number; readonly values: Readonly<Record<string, string>> } | undefined;

  constructor(options: LunaAgentsOptions) {
    const { registry, pipeline, config, store, redact, onLog } = options;
    this.#options = options;
    this.runs = new RunLog({
      runs: new AgentRuns(store),
      keptMs: () => config().luna.agent_runs_days * 86_400_000,
      onError: (error) => onLog(`A run could not be kept: ${messageOf(error)}`),
    });
    this.own = new HomeAgents({
      folder: options.folder,
      onLog: (file, line) => onLog(`${file}: ${line}`),
      onChange: options.onChange,
    });
    this.agents = new Agents({
      registry,
      pipeline,
      models: () => this.#modelSettings(),
      presets: () => config().agent_presets,
      agents: () => this.own.agents(),
      limits: () => config().luna.agent_limits,
      isPassthrough: (tool) => isPassthrough(config(), tool),
      onRun: (run) => {
        this.runs.add(run);
        const { steps: _steps, ...summary } = run;
        options.onRun(summary);
      },
      redact,
    });
    this.http = new AgentHttp(this.agents, { redact, onError: (error) => onLog(messageOf(error)) });
  }

  /** Asks an agent for a schedule. */
  async runAgent(prompt: ScheduledPrompt): Promise<string> {
    return (await this.agents.run(prompt)).text;
  }

  /** What a schedule can ask: presets that are on, and agents. */
  async list(): Promise<SchedulableAgent[]> {
    const presets = Object.entries(this.agents.presets()).filter(([, { enabled }]) => enabled);
    return [
      ...presets.map(([name, { description, base_agent }]) => ({
        name,
        description: description ?? `A preset of ${base_agent}.`,
      })),
      ...[...this.agents.builtIn().values()].map(({ name, description }) => ({ name, description })),
    ];
  }

  /** What a preset may call. Throws `not_found`, and `forbidden` for one that is switched off. */
  presetSelection(name: string): Selection {
    const presets = this.agents.presets();
    const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
    if (!preset) throw new LunaError('not_found', `There is no preset "${name}", to which the call is held.`);
    if (!preset.enabled) throw new LunaError('forbidden', `The preset "${name}" is switched off.`);
    return presetSelection(preset);
  }

  /** Whether this is the key that opens the agents. */
  async opens(key: string): Promise<boolean> {
    const known = (await this.#read())[agentKeyName];
    return known !== undefined && known !== '' && keysEqual(known, key);
  }

  async apiKey(): Promise<string> {
    return (await this.#read(true))[agentKeyName] ?? '';
  }

  /** Makes another key; the former one opens nothing any more. */
  async regenerateKey(): Promise<string> {
    const key = makeKey(agentKeyPrefix);
    await this.#options.env.set({ [agentKeyName]: key });
    await this.#read(true);
    return key;
  }

  async start(): Promise<void> {
    await this.own.start();
  }

  async close(): Promise<void> {
    await this.agents.close(drainLimitMs);
    await this.own.close();
    await this.runs.close();
  }

  /** What is configured of models now; `.env` is read anew. */
  modelSettings(): Promise<ModelSettings> {
    return this.#modelSettings(true);
  }

  async #modelSettings(now = false): Promise<ModelSettings> {
    const { luna } = this.#options.config();
    return {
      defaultModel: luna.default_llm,
      models: luna.models,
      values: await this.#read(now),
      concurrency: luna.llm_concurrency,
      retries: luna.llm_retries,
      timeoutMs: luna.llm_timeout_seconds * 1000,
    };
  }

  /** The values of `.env`, with what the environment of the process says of models. Read anew after a second. */
  async #read(now = false): Promise<Readonly<Record<string, string>>> {
    if (!now && this.#values && Date.now() - this.#values.readAt < freshMs) return this.#values.values;
    const { env, environment } = this.#options;
    const values = await env.read();
    for (const name of modelVariables) {
      const value = environment[name];
      if (value !== undefined && value !== '') values[name] = value;
    }
    this.#values = { readAt: Date.now(), values };
    return values;
  }
}

function isPassthrough({ tool_configs }: MasterConfig, { qualifiedName, name, tool }: RegisteredTool): boolean {
  const settings = [qualifiedName, name, tool.name].map((key) =>
    Object.hasOwn(tool_configs, key) ? tool_configs[key] : undefined,
  );
  return settings.find((setting) => setting?.passthrough !== undefined)?.passthrough ?? false;
}
