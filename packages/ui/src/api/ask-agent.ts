import { atBase } from '../base.ts';
import { ApiError } from './client.ts';

/** Hears an answer while it comes. */
export interface AnswerListener {
  onText(text: string): void;
  /** What goes on meanwhile, such as that a tool is called. */
  onProgress(text: string): void;
  /** The id of the run, as soon as it is known. */
  onRun(id: string): void;
}

/** Asks an agent or a preset as any client does, with a stream. Throws an ApiError; an AbortError when it is stopped. */
export async function askAgent(
  { agent, prompt, signal }: { readonly agent: string; readonly prompt: string; readonly signal: AbortSignal },
  listener: AnswerListener,
): Promise<void> {
  const response = await fetch(atBase('/v1/chat/completions'), {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: agent, stream: true, messages: [{ role: 'user', content: prompt }] }),
  }).catch((thrown: unknown) => {
    throw signal.aborted ? thrown : new ApiError(0, 'unreachable', 'Luna does not answer. Is it still running?');
  });
  const run = response.headers.get('x-luna-run');
  if (run) listener.onRun(run);
  if (!response.ok || !response.body) throw errorOf(response.status, await response.text());
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const events = new EventReader();
  for (;;) {
    const { done, value } = await reader.read().catch((thrown: unknown) => {
      throw signal.aborted
        ? thrown
        : new ApiError(0, 'unreachable', 'The answer broke off. Its run says how far it came.');
    });
    if (done) return;
    for (const data of events.read(value)) hear(data, listener);
  }
}

/** Takes the data of server-sent events out of text that comes in pieces. */
export class EventReader {
  #rest = '';

  read(text: string): string[] {
    const events = (this.#rest + text).split('\n\n');
    this.#rest = events.pop() ?? '';
    return events.filter((event) => event.startsWith('data: ')).map((event) => event.slice('data: '.length));
  }
}

interface Chunk {
  readonly error?: { readonly code?: string; readonly message?: string };
  readonly choices?: readonly { readonly delta?: { readonly content?: string; readonly reasoning_content?: string } }[];
}

function hear(data: string, { onText, onProgress }: AnswerListener): void {
  if (data === '[DONE]') return;
  const { error, choices }: Chunk = JSON.parse(data);
  if (error) throw new ApiError(502, error.code ?? 'unknown', error.message ?? 'The answer broke off.');
  for (const { delta } of choices ?? []) {
    if (delta?.content) onText(delta.content);
    if (delta?.reasoning_content) onProgress(delta.reasoning_content);
  }
}

function errorOf(status: number, text: string): ApiError {
  try {
    const { error }: Chunk = JSON.parse(text);
    if (typeof error?.message === 'string') return new ApiError(status, error.code ?? 'unknown', error.message);
  } catch {
    // Not from Luna itself: a proxy in front, perhaps.
  }
  return new ApiError(status, 'unknown', `Luna answered with HTTP ${status}.`);
}
