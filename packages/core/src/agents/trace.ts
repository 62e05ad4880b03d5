import { randomUUID } from 'node:crypto';
import { LunaError, toLunaError } from '../errors/index.ts';
import type { AgentRun, AgentRunStep } from '../store/index.ts';
import type { Caller, ToolResult } from '../tools/index.ts';
import type { ModelAnswer, TokenUsage } from './agent.ts';
import { addUsage, noUsage } from './answer-builder.ts';

/** Of longer texts a run keeps the beginning, in characters. */
const keptCharacters = 2_000;
/** A run keeps so many steps; later ones are counted. */
const keptSteps = 200;

export interface TraceOptions {
  readonly agent: string;
  readonly baseAgent: string;
  readonly caller: Caller;
  readonly prompt: string;
  /** Covers secrets. */
  readonly redact?: ((text: string) => string) | undefined;
}

/** Writes down one turn of an agent while it goes on. */
export class Trace {
  readonly id = `run_${randomUUID().replaceAll('-', '')}`;
  readonly #options: TraceOptions;
  readonly #startedAt = Date.now();
  readonly #started = performance.now();
  readonly #steps: AgentRunStep[] = [];
  #usage: TokenUsage = noUsage;
  #modelCalls = 0;
  #toolCalls = 0;
  #answer = '';

  constructor(options: TraceOptions) {
    this.#options = options;
  }

  get usage(): TokenUsage {
    return this.#usage;
  }

  get modelCalls(): number {
    return this.#modelCalls;
  }

  /** Adds to what the agent has answered so far. */
  say(text: string): void {
    if (this.#answer.length <= keptCharacters) this.#answer += text;
  }

  /** Runs a question to a model and writes down what came of it. */
  async model(
    named: string | undefined,
    ask: () => Promise<ModelAnswer & { readonly model: string }>,
  ): Promise<ModelAnswer> {
    this.#modelCalls++;
    const begun = performance.now();
    try {
      const answer = await ask();
      this.#usage = addUsage(this.#usage, answer.usage);
      this.#add(begun, {
        kind: 'model',
        model: answer.model,
        text: this.#short(answer.text),
        wants: answer.toolCalls.slice(0, 50).map(({ function: called }) => called.name.slice(0, 128)),
        finish: answer.finish,
        promptTokens: answer.usage.prompt_tokens,
        completionTokens: answer.usage.completion_tokens,
      });
      return answer;
    } catch (thrown) {
      const nothing = { text: '', wants: [], finish: 'error', promptTokens: 0, completionTokens: 0 };
      this.#add(begun, { kind: 'model', model: named ?? '', ...nothing, error: this.#errorOf(thrown) });
      throw thrown;
    }
  }

  /** Runs a call of a tool and writes down what came of it. */
  async tool(tool: string, args: unknown, call: () => Promise<ToolResult>): Promise<ToolResult> {
    this.#toolCalls++;
    const begun = performance.now();
    const said = this.#short(typeof args === 'string' ? args : JSON.stringify(args));
    try {
      const result = await call();
      const outcome = result.isError === true ? 'tool_error' : 'ok';
      this.#add(begun, { kind: 'tool', tool, args: said, result: this.#short(textOfResult(result)), outcome });
      return result;
    } catch (thrown) {
      this.#add(begun, { kind: 'tool', tool, args: said, result: '', outcome: 'error', error: this.#errorOf(thrown) });
      throw thrown;
    }
  }

  /** The whole run, once it has ended. */
  ended(end: { readonly limit?: string | undefined; readonly thrown?: unknown }): AgentRun {
    const { agent, baseAgent, caller, prompt } = this.#options;
    const error = end.thrown === undefined ? undefined : toLunaError(end.thrown);
    return {
      id: this.id,
      agent,
      baseAgent,
      caller: { ...caller },
      startedAt: this.#startedAt,
      durationMs: Math.round((performance.now() - this.#started) * 100) / 100,
      outcome: error ? (error.code === 'cancelled' ? 'cancelled' : 'error') : end.limit === undefined ? 'ok' : 'limit',
      ...(error && { error: this.#errorOf(error) }),
      ...(end.limit !== undefined && !error && { error: { code: 'limit_exceeded', message: end.limit } }),
      prompt: this.#short(prompt),
      answer: this.#short(this.#answer),
      promptTokens: this.#usage.prompt_tokens,
      completionTokens: this.#usage.completion_tokens,
      modelCalls: this.#modelCalls,
      toolCalls: this.#toolCalls,
      steps: this.#steps,
    };
  }

  #add(begun: number, step: DistributiveOmit<AgentRunStep, 'atMs' | 'durationMs'>): void {
    if (this.#steps.length >= keptSteps) return;
    const rounded = (ms: number) => Math.round(ms * 100) / 100;
    const times = { atMs: rounded(begun - this.#started), durationMs: rounded(performance.now() - begun) };
    this.#steps.push({ ...times, ...step } as AgentRunStep);
  }

  #errorOf(thrown: unknown): { code: string; message: string } {
    const { code, message } = thrown instanceof LunaError ? thrown : toLunaError(thrown);
    return { code, message: this.#short(message) };
  }

  #short(text: string): string {
    const { redact } = this.#options;
    // Cut after covering, and covered in no more than is kept: a secret may lie across the end.
    const begin = text.slice(0, keptCharacters * 2);
    const covered = redact ? redact(begin) : begin;
    return covered.length > keptCharacters || text.length > begin.length
      ? `${covered.slice(0, keptCharacters)}… (${text.length} characters)`
      : covered;
  }
}

type DistributiveOmit<Union, Keys extends PropertyKey> = Union extends unknown ? Omit<Union, Keys> : never;

/** A result of a tool as text for a model: its texts, or its structured content, and what else it has by name. */
export function textOfResult({ content, structuredContent }: ToolResult): string {
  const parts = content.map((block) => {
    if (block.type === 'text' && typeof block.text === 'string') return block.text;
    if (block.type === 'resource_link' && typeof block.uri === 'string') return `[resource ${block.uri}]`;
    if (block.type === 'resource') return textOfResource(block.resource);
    const type = typeof block.mimeType === 'string' ? ` ${block.mimeType}` : '';
    const size = typeof block.data === 'string' ? `, ${Math.floor((block.data.length * 3) / 4)} bytes` : '';
    return `[${block.type}${type}${size}]`;
  });
  if (parts.length === 0 && structuredContent !== undefined) return JSON.stringify(structuredContent);
  return parts.join('\n');
}

function textOfResource(resource: unknown): string {
  if (typeof resource !== 'object' || resource === null) return '[resource]';
  if ('text' in resource && typeof resource.text === 'string') return resource.text;
  return 'uri' in resource ? `[resource ${String(resource.uri)}]` : '[resource]';
}
