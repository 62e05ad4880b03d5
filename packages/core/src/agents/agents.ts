import { type AgentLimits, type AgentPresetConfig, agentLimits } from '../config/index.ts';
import { LunaError, toLunaError } from '../errors/index.ts';
import type { AgentRun } from '../store/index.ts';
import {
  type Caller,
  everyTool,
  type RegisteredTool,
  type Selection,
  type ToolPipeline,
  type ToolRegistry,
} from '../tools/index.ts';
import { type Agent, lastUserText, type ModelToolCall, type TokenUsage } from './agent.ts';
import { directAgent } from './builtin/direct.ts';
import { passthroughAgent } from './builtin/passthrough.ts';
import { simpleAgent } from './builtin/simple.ts';
import { type ChatRequest, parseChatRequest } from './chat-request.ts';
import type { ModelSettings } from './endpoint.ts';
import { Models, withdrawn } from './model.ts';
import { presetSelection, type ResolvedAgent, resolveAgent } from './presets.ts';
import { withResultReader } from './tool-set.ts';
import { Trace } from './trace.ts';
import { Turn, type TurnListener } from './turn.ts';
import { TurnEnding } from './turn-ending.ts';

export interface AgentsOptions {
  readonly registry: ToolRegistry;
  readonly pipeline: ToolPipeline;
  /** Asked before each request to a model. See {@link oneModel} for the simple case. */
  readonly models: () => ModelSettings | Promise<ModelSettings>;
  /** Asked at each turn, so that changes are in force at once. Default: none. */
  readonly presets?: () => Readonly<Record<string, AgentPresetConfig>>;
  /** Limits where the preset says nothing else. */
  readonly limits?: () => AgentLimits;
  /** Agents of one's own. One with the name of a built-in takes its place. */
  readonly agents?: () => Iterable<Agent>;
  /** What agents may call that are used without a preset. Default: every tool. */
  readonly selection?: Selection;
  /** Whether people want a tool run without being asked. Default: none. */
  readonly isPassthrough?: (tool: RegisteredTool) => boolean;
  /** Told of each turn once it has ended. */
  readonly onRun?: (run: AgentRun) => void;
  /** Covers secrets in what is written down. */
  readonly redact?: (text: string) => string;
}

/** What a turn came to. */
export interface TurnOutcome {
  readonly runId: string;
  readonly text: string;
  /** In OpenAI's words: `stop`, `length`, `tool_calls`, `content_filter`. */
  readonly finish: string;
  /** Calls of the client's own tools. */
  readonly toolCalls: readonly ModelToolCall[];
  readonly usage: TokenUsage;
}

export interface TurnCircumstances {
  readonly caller: Caller;
  readonly signal?: AbortSignal | undefined;
  /** Conversation memory, for the agent. */
  readonly memory?: string | undefined;
  /** What may be called at most, beside what the agent or the preset may. Default: no further limit. */
  readonly selection?: Selection | undefined;
  /** Hears the answer while it comes. */
  readonly listener?: (Partial<TurnListener> & { onBegin?(runId: string): void }) | undefined;
}

/** The agents of one Luna: built-in ones, those of a home, and presets of both. */
export class Agents {
  readonly models: Models;
  readonly #options: AgentsOptions;
  /** Turns under way, and what they come to. */
  readonly #turns = new Map<TurnEnding, Promise<unknown>>();
  readonly #builtIn: readonly Agent[] = [simpleAgent, passthroughAgent(), directAgent];

  constructor(options: AgentsOptions) {
    this.#options = options;
    this.models = new Models(options.models);
  }

  /** The agents that presets can build on, by name. */
  builtIn(): ReadonlyMap<string, Agent> {
    const agents = [...this.#builtIn, ...(this.#options.agents?.() ?? [])];
    return new Map(agents.map((agent) => [agent.name, agent]));
  }

  presets(): Readonly<Record<string, AgentPresetConfig>> {
    return this.#options.presets?.() ?? {};
  }

  /** What a name stands for; undefined when it is no agent and no preset. Throws as `resolveAgent` does. */
  find(name: string): ResolvedAgent | undefined {
    return resolveAgent(name, {
      presets: this.presets(),
      agents: this.builtIn(),
      selection: this.#options.selection ?? everyTool,
      limits: this.#options.limits?.() ?? agentLimits.parse({}),
    });
  }

  /** How many tools an agent has that is used without a preset. */
  ownToolCount(): number {
    return this.#tools(this.#options.selection ?? everyTool).length;
  }

  /** The tools of a preset, or of an agent. Throws `not_found`. It does not ask whether the preset is switched on. */
  toolsOf(name: string): RegisteredTool[] {
    const presets = this.presets();
    const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
    if (!preset && !this.builtIn().has(name)) throw unknownAgent(name);
    return this.#tools(preset ? presetSelection(preset) : (this.#options.selection ?? everyTool));
  }

  /**
   * Gives an agent or a preset one prompt and waits for its whole answer. This is how schedules and scripts use agents;
   * what it may call is decided by the preset, as everywhere.
   *
   * Throws `not_found` for a name that is no agent and no preset, `forbidden` for a preset that is switched off,
   * `model_unavailable`, `upstream_error`, `timeout`, `cancelled`, `tool_failed` (of `direct_agent`). An error that comes
   * after the run has begun has the run's id in `details.runId`.
   */
  run(request: {
    /** The name of an agent or a preset. */
    readonly agent: string;
    readonly prompt: string;
    /** Who asks, for the record of runs and calls: `{ kind: 'schedule', name: 'nightly' }`. */
    readonly caller: Caller;
    /** Ends the run: the request to the model and the calls of tools. */
    readonly signal?: AbortSignal | undefined;
    /** Conversation memory, for the agent. */
    readonly memory?: string | undefined;
    /** See {@link TurnCircumstances.selection}. */
    readonly selection?: Selection | undefined;
  }): Promise<TurnOutcome> {
    const { agent, prompt, ...circumstances } = request;
    const chat = parseChatRequest({ model: agent, messages: [{ role: 'user', content: prompt }] });
    return this.turn(chat, circumstances);
  }

  /** Runs one turn of a chat; `model` is the name of an agent or a preset. Throws as {@link run} does. */
  async turn(request: ChatRequest, circumstances: TurnCircumstances): Promise<TurnOutcome> {
    const resolved = this.find(request.model);
    if (!resolved) throw unknownAgent(request.model);
    const { caller, signal, memory, listener, selection = everyTool } = circumstances;
    const { name, agent, limits, preset } = resolved;
    const { registry, pipeline, redact, onRun, isPassthrough } = this.#options;
    const trace = new Trace({
      agent: name,
      baseAgent: agent.name,
      caller,
      prompt: lastUserText(request.messages),
      redact,
    });
    listener?.onBegin?.(trace.id);
    const ending = new TurnEnding(limits.timeout_seconds, name, signal);
    let settled: () => void = () => undefined;
    this.#turns.set(ending, new Promise<void>((settle) => (settled = settle)));
    const texts: string[] = [];
    const turn = new Turn({
      agent: name,
      request,
      memory,
      instructions: preset?.instructions,
      temperature: preset?.temperature,
      showProgress: preset?.show_progress ?? true,
      model: preset?.model,
      models: this.models,
      limits,
      tools: {
        registry,
        pipeline,
        caller: { kind: 'agent', name },
        selection: withResultReader((tool) => selection(tool) && this.#mayCall(name, preset !== undefined, tool)),
        isPassthrough: isPassthrough ?? (() => false),
      },
      signal: ending.signal,
      trace,
      listener: {
        onText: (text) => {
          // What an agent says after its turn was withdrawn is heard by nobody.
          if (ending.signal.aborted) return;
          texts.push(text);
          listener?.onText?.(text);
        },
        onReasoning: (text) => {
          if (!ending.signal.aborted) listener?.onReasoning?.(text);
        },
      },
    });
    try {
      const end = (await ending.race(() => agent.run(turn))) ?? {};
      onRun?.(trace.ended({ limit: end.limit }));
      return {
        runId: trace.id,
        text: texts.join(''),
        finish: end.finish ?? 'stop',
        toolCalls: end.toolCalls ?? [],
        usage: trace.usage,
      };
    } catch (thrown) {
      const error = ending.signal.aborted ? withdrawn(ending.signal) : toLunaError(thrown);
      onRun?.(trace.ended({ thrown: error }));
      throw new LunaError(error.code, error.message, {
        details: { ...error.details, runId: trace.id },
        cause: error.cause ?? error,
      });
    } finally {
      ending.settle();
      this.#turns.delete(ending);
      settled();
    }
  }

  /** Ends everything. Turns under way may come to their end within the limit in milliseconds. */
  async close(drainMs = 5_000): Promise<void> {
    const turns = Promise.all(this.#turns.values());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((settle) => {
      timer = setTimeout(settle, drainMs);
    });
    await Promise.race([turns, late]);
    clearTimeout(timer);
    for (const ending of this.#turns.keys()) ending.withdraw(new LunaError('source_unavailable', 'Luna is stopping.'));
    await turns;
    await this.models.close();
  }

  /** What a name may call as it is now: who changes a preset changes it for turns under way, too. */
  #mayCall(name: string, isPreset: boolean, tool: RegisteredTool): boolean {
    if (!isPreset) return (this.#options.selection ?? everyTool)(tool);
    const presets = this.presets();
    const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
    return preset?.enabled === true && presetSelection(preset)(tool);
  }

  #tools(selection: Selection): RegisteredTool[] {
    return [...this.#options.registry.tools().values()].filter(
      (tool) => tool.source.kind !== 'builtin' && selection(tool),
    );
  }
}

/** Settings for a single model. `baseUrl` is that of an OpenAI-compatible endpoint; default: OpenAI's. */
export function oneModel(model: {
  readonly name: string;
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
}): () => ModelSettings {
  const { name, baseUrl, apiKey } = model;
  const values = {
    ...(baseUrl !== undefined && { OPENAI_BASE_URL: baseUrl }),
    ...(apiKey !== undefined && { OPENAI_API_KEY: apiKey }),
  };
  return () => ({ defaultModel: name, models: {}, values, concurrency: 64, retries: 2, timeoutMs: 60_000 });
}

function unknownAgent(name: string): LunaError {
  return new LunaError('not_found', `There is no agent, preset or model "${name}".`, { details: { param: 'model' } });
}
