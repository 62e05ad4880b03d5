import { LunaError } from '../errors/index.ts';
import type { ModelAnswer, ModelToolCall, TokenUsage } from './agent.ts';

/** Told of an answer while it comes. */
export interface AnswerListener {
  readonly onText?: ((text: string) => void) | undefined;
  readonly onReasoning?: ((text: string) => void) | undefined;
}

/** The longest answer of a model, in characters: one that never ends does not fill the memory. */
const maxCharacters = 16 * 1024 * 1024;

/** A call of which parts have come. */
interface StreamedCall {
  id: string;
  name: string;
  readonly args: string[];
}

/** Makes a whole answer of the chunks of a stream, which may hold anything. */
export class AnswerBuilder {
  readonly #listener: AnswerListener;
  readonly #texts: string[] = [];
  readonly #calls: StreamedCall[] = [];
  /** The call that each index means at present. */
  readonly #byIndex = new Map<number, StreamedCall>();
  #finish: string | undefined;
  #usage: TokenUsage = noUsage;
  #chunks = 0;
  #characters = 0;

  constructor(listener: AnswerListener = {}) {
    this.#listener = listener;
  }

  /** Throws `too_large`. */
  add(chunk: unknown): void {
    if (!isObject(chunk)) return;
    if (isObject(chunk.usage)) this.#usage = usageOf(chunk.usage);
    const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
    if (!isObject(choice)) return;
    this.#chunks++;
    if (typeof choice.finish_reason === 'string') this.#finish = choice.finish_reason;
    const delta = choice.delta;
    if (!isObject(delta)) return;
    this.#addText(delta.content);
    // A refusal is all that such an answer says.
    this.#addText(delta.refusal);
    const reasoning = delta.reasoning_content ?? delta.reasoning;
    if (typeof reasoning === 'string' && reasoning !== '') this.#listener.onReasoning?.(reasoning);
    if (Array.isArray(delta.tool_calls)) for (const call of delta.tool_calls) this.#addCall(call);
  }

  /** Takes an answer that came in one piece. Throws `upstream_error` when it is an error, and `too_large`. */
  addWhole(body: unknown): void {
    if (!isObject(body)) return;
    if (isObject(body.error) && typeof body.error.message === 'string')
      throw new LunaError('upstream_error', `The model answered with an error: ${body.error.message.slice(0, 500)}`);
    const choice: unknown = Array.isArray(body.choices) ? body.choices[0] : undefined;
    this.add(
      isObject(choice) ? { ...body, choices: [{ finish_reason: 'stop', ...choice, delta: choice.message }] } : body,
    );
  }

  /** Throws `upstream_error` when what came was no answer. */
  answer(): ModelAnswer {
    if (this.#chunks === 0)
      throw new LunaError('upstream_error', 'The model answered with nothing that is a chat completion.');
    if (this.#finish === undefined)
      throw new LunaError('upstream_error', 'The answer of the model broke off before its end.');
    const toolCalls = this.#calls.filter(({ name }) => name !== '').map(toCall);
    return {
      text: this.#texts.join(''),
      toolCalls,
      finish: toolCalls.length > 0 ? 'tool_calls' : this.#finish,
      usage: this.#usage,
    };
  }

  #addText(text: unknown): void {
    if (typeof text !== 'string' || text === '') return;
    this.#count(text);
    this.#texts.push(text);
    this.#listener.onText?.(text);
  }

  #addCall(part: unknown): void {
    if (!isObject(part)) return;
    const id = typeof part.id === 'string' ? part.id : '';
    const call = this.#callOf(part.index, id);
    if (id !== '') call.id = id;
    const called = part.function;
    if (!isObject(called)) return;
    if (typeof called.name === 'string' && call.name === '') call.name = called.name;
    const args = isObject(called.arguments) ? JSON.stringify(called.arguments) : called.arguments;
    if (typeof args === 'string') {
      this.#count(args);
      call.args.push(args);
    }
  }

  /**
   * The call to which a part belongs. Some endpoints leave the index out, others number each call 0: a part with an id
   * that is not the one of its call begins another.
   */
  #callOf(index: unknown, id: string): StreamedCall {
    const known = typeof index === 'number' ? this.#byIndex.get(index) : this.#calls.at(-1);
    const begins = !known || (id !== '' && known.id !== '' && known.id !== id);
    const call = begins ? { id: '', name: '', args: [] } : known;
    if (typeof index === 'number') this.#byIndex.set(index, call);
    if (begins && this.#calls.push(call) > 1_000)
      throw new LunaError('too_large', 'The model asks for more than 1000 calls at once.');
    return call;
  }

  #count(text: string): void {
    this.#characters += text.length;
    if (this.#characters > maxCharacters)
      throw new LunaError('too_large', `The answer of the model is longer than ${maxCharacters} characters.`);
  }
}

export const noUsage: TokenUsage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

export function addUsage(one: TokenUsage, other: TokenUsage): TokenUsage {
  return {
    prompt_tokens: one.prompt_tokens + other.prompt_tokens,
    completion_tokens: one.completion_tokens + other.completion_tokens,
    total_tokens: one.total_tokens + other.total_tokens,
  };
}

function toCall({ id, name, args }: StreamedCall, index: number): ModelToolCall {
  return { id: id || `call_${index}`, type: 'function', function: { name, arguments: args.join('') } };
}

function usageOf(usage: Record<string, unknown>): TokenUsage {
  const prompt = countOf(usage.prompt_tokens);
  const completion = countOf(usage.completion_tokens);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: countOf(usage.total_tokens) || prompt + completion,
  };
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
