import { atBase } from '../base.ts';
import { ApiError, errorOf } from './client.ts';

/** Reads a stream of text until it ends or the signal is aborted. Throws an ApiError when it is refused or breaks off. */
export async function followText(path: string, onText: (text: string) => void, signal: AbortSignal): Promise<void> {
  const response = await fetch(atBase(path), { signal });
  if (!response.ok || !response.body) throw errorOf(response.status, await response.text());
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onText(value);
    }
  } catch {
    if (!signal.aborted) throw new ApiError(0, 'unreachable', 'The log broke off. Open it again to go on.');
  }
}
