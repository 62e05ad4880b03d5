import type { ModelToolCall, TokenUsage } from '../agent.ts';
import type { TurnOutcome } from '../agents.ts';

/** What all parts of one answer have in common. */
export interface CompletionHead {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** What the client asked for. */
  readonly model: string;
}

/** A whole chat completion, with a choice for each outcome. */
export function completion(head: CompletionHead, outcomes: readonly TurnOutcome[]): object {
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    choices: outcomes.map(({ text, toolCalls, finish }, index) => ({
      index,
      message: {
        role: 'assistant',
        content: text === '' && toolCalls.length > 0 ? null : text,
        refusal: null,
        ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
      },
      logprobs: null,
      finish_reason: finish,
    })),
    usage: sumOf(outcomes),
  };
}

/** One chunk of a streamed completion. */
export function chunk(head: CompletionHead, index: number, delta: object, finish: string | null = null): object {
  return {
    id: head.id,
    object: 'chat.completion.chunk',
    created: head.created,
    model: head.model,
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
  };
}

/** The last chunk of a stream whose client wants to know the usage. */
export function usageChunk(head: CompletionHead, outcomes: readonly TurnOutcome[]): object {
  return {
    id: head.id,
    object: 'chat.completion.chunk',
    created: head.created,
    model: head.model,
    choices: [],
    usage: sumOf(outcomes),
  };
}

/** Calls of the client's own tools as they stand in a chunk. */
export function toolCallsDelta(calls: readonly ModelToolCall[]): object {
  return { tool_calls: calls.map((call, index) => ({ index, ...call })) };
}

/** An event of a stream. */
export function serverSentEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

export const endOfStream = 'data: [DONE]\n\n';

export function sumOf(outcomes: readonly { readonly usage: TokenUsage }[]): TokenUsage {
  let [prompt, completed, total] = [0, 0, 0];
  for (const { usage } of outcomes) {
    prompt += usage.prompt_tokens;
    completed += usage.completion_tokens;
    total += usage.total_tokens;
  }
  return { prompt_tokens: prompt, completion_tokens: completed, total_tokens: total };
}
