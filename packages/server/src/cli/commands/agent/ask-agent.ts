import { LunaError, messageOf } from '@luna/core/errors';
import { z } from 'zod';
import type { RunningLuna } from '../../running-luna.ts';

export interface AgentQuestion {
  readonly agent: string;
  readonly prompt: string;
  readonly memory?: string | undefined;
  readonly onText?: (text: string) => void;
  /** Gets what goes on beside the answer. */
  readonly onReasoning?: (text: string) => void;
}

export interface AgentAnswer {
  readonly runId: string;
  readonly text: string;
  readonly finish: string;
}

const eventSchema = z.looseObject({
  error: z.looseObject({ message: z.string() }).optional(),
  choices: z
    .array(
      z.looseObject({
        delta: z.looseObject({ content: z.string().nullish(), reasoning_content: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .optional(),
});
const errorSchema = z.object({ error: z.looseObject({ message: z.string() }) });

/** Asks an agent as a client of OpenAI does. Throws `upstream_error` with what Luna answered. */
export async function askAgent(
  luna: RunningLuna,
  { agent, prompt, memory, ...live }: AgentQuestion,
): Promise<AgentAnswer> {
  const response = await fetch(`${luna.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${luna.token}`,
      'content-type': 'application/json',
      ...(memory !== undefined && { 'x-luna-memory': encodeURIComponent(memory) }),
    },
    body: JSON.stringify({ model: agent, stream: true, messages: [{ role: 'user', content: prompt }] }),
  }).catch((thrown: unknown) => {
    throw new LunaError('not_running', `Luna does not answer at ${luna.url}: ${messageOf(thrown)}`, { cause: thrown });
  });
  if (!response.ok || !response.body) throw refusal(await response.text(), response.status);
  const answer = { runId: response.headers.get('x-luna-run') ?? '', text: '', finish: '' };
  for await (const data of eventsOf(response.body)) {
    if (data === '[DONE]') break;
    const { error, choices } = eventSchema.parse(JSON.parse(data));
    if (error) throw new LunaError('upstream_error', error.message);
    const choice = choices?.[0];
    answer.finish = choice?.finish_reason ?? answer.finish;
    if (choice?.delta.reasoning_content) live.onReasoning?.(choice.delta.reasoning_content);
    if (!choice?.delta.content) continue;
    answer.text += choice.delta.content;
    live.onText?.(choice.delta.content);
  }
  return answer;
}

function refusal(text: string, status: number): LunaError {
  try {
    return new LunaError('upstream_error', errorSchema.parse(JSON.parse(text)).error.message);
  } catch {
    return new LunaError('upstream_error', `Luna answered with HTTP ${status}.`);
  }
}

/** The data of each event. Luna writes each on one line. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length);
  }
}
