import type { AgentLimits } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import type { ToolArguments, ToolProgress, ToolResult } from '../tools/index.ts';
import type { AgentTool, AgentTurn, ChatMessage, ModelAnswer, ModelQuestion, ModelTool } from './agent.ts';
import { type ChatRequest, modelSettingsOf } from './chat-request.ts';
import type { Models } from './model.ts';
import { ToolSet, type ToolSetOptions } from './tool-set.ts';
import type { Trace } from './trace.ts';

/** Who hears what an agent says while its turn goes on. */
export interface TurnListener {
  onText(text: string): void;
  onReasoning(text: string): void;
}

export interface TurnOptions {
  readonly agent: string;
  readonly request: ChatRequest;
  readonly memory: string | undefined;
  readonly instructions: string | undefined;
  readonly temperature: number | undefined;
  readonly showProgress: boolean;
  /** The name of the model; undefined for the default one. */
  readonly model: string | undefined;
  readonly models: Models;
  readonly limits: AgentLimits;
  readonly tools: Omit<ToolSetOptions, 'signal' | 'onProgress' | 'maxArgumentBytes'>;
  readonly signal: AbortSignal;
  readonly trace: Trace;
  readonly listener: TurnListener;
}

/** The one {@link AgentTurn}: what an agent does goes to models and pipeline, and is held to limits and written down. */
export class Turn implements AgentTurn {
  readonly agent: string;
  readonly messages: readonly ChatMessage[];
  readonly memory: string | undefined;
  readonly preamble: readonly ChatMessage[];
  readonly tools: readonly AgentTool[];
  readonly clientTools: readonly ModelTool[];
  readonly toolChoice: unknown;
  readonly limits: AgentLimits;
  readonly signal: AbortSignal;
  readonly #options: TurnOptions;
  readonly #toolSet: ToolSet;
  readonly #settings: Record<string, unknown>;

  constructor(options: TurnOptions) {
    const { request, limits, signal } = options;
    this.#options = options;
    this.agent = options.agent;
    this.messages = request.messages;
    this.memory = options.memory;
    this.limits = limits;
    this.signal = signal;
    this.clientTools = request.tools ?? [];
    this.toolChoice = request.tool_choice ?? undefined;
    this.#toolSet = new ToolSet(
      {
        ...options.tools,
        signal,
        maxArgumentBytes: limits.max_argument_bytes,
        onProgress: (tool, progress) => this.#progressed(tool, progress),
      },
      new Set(this.clientTools.map((tool) => tool.function.name)),
    );
    this.tools = this.#toolSet.tools;
    this.preamble = preambleOf(options, this.#toolSet.systemPrompts);
    const { temperature } = options;
    this.#settings = { ...(temperature !== undefined && { temperature }), ...modelSettingsOf(request) };
  }

  async ask({ say = false, ...question }: ModelQuestion): Promise<ModelAnswer> {
    const { models, model, limits, trace, signal } = this.#options;
    if (trace.modelCalls >= limits.max_steps)
      throw new LunaError(
        'limit_exceeded',
        `The agent "${this.agent}" has reached its limit of ${limits.max_steps} steps.`,
      );
    const params = { ...this.#settings, ...withoutUndefined(question) };
    return trace.model(model, () =>
      models.ask(model, params, {
        signal,
        onText: say ? (text) => this.say(text) : undefined,
        onReasoning: (text) => this.#options.listener.onReasoning(text),
      }),
    );
  }

  async call(tool: string, args: ToolArguments | string): Promise<ToolResult> {
    if (this.#options.showProgress) this.think(`Calling ${tool}\n`);
    return this.#options.trace.tool(tool, args, () => this.#toolSet.call(tool, args));
  }

  say(text: string): void {
    if (text === '') return;
    this.#options.trace.say(text);
    this.#options.listener.onText(text);
  }

  think(text: string): void {
    if (text !== '') this.#options.listener.onReasoning(text);
  }

  #progressed(tool: string, { progress, total, message }: ToolProgress): void {
    if (!this.#options.showProgress) return;
    const share = total === undefined ? String(progress) : `${progress}/${total}`;
    this.think(`${tool}: ${message === undefined ? share : `${message} (${share})`}\n`);
  }
}

function preambleOf({ instructions, memory }: TurnOptions, systemPrompts: readonly string[]): ChatMessage[] {
  const parts = [instructions, ...systemPrompts];
  if (memory !== undefined) parts.push(`What is remembered of earlier conversations:\n${memory}`);
  const content = parts.filter((part) => part !== undefined && part.trim() !== '').join('\n\n');
  return content === '' ? [] : [{ role: 'system', content }];
}

function withoutUndefined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
