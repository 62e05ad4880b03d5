import type { ServerResponse } from 'node:http';
import { LunaError, messageOf } from '../../errors/index.ts';
import { endpointOf } from '../endpoint.ts';
import { type Models, silent, withdrawn } from '../model.ts';
import { serverSentEvent } from './chat-completions.ts';
import { toOpenAiError } from './openai-errors.ts';
import { RelayedAnswer } from './relayed-answer.ts';

export interface RelayOptions {
  readonly models: Models;
  /** The name of the model in Luna. */
  readonly model: string;
  /** Below the address of the endpoint: `/chat/completions`. */
  readonly path: string;
  readonly body: { readonly bytes: Buffer; readonly value: unknown };
  readonly signal: AbortSignal;
  readonly redact?: ((text: string) => string) | undefined;
}

/**
 * Passes a request to the endpoint of a model and its answer back, byte for byte. Throws, before anything was answered,
 * what `Models.ask` throws. What goes wrong later ends the stream with an error in it.
 */
export async function relay(response: ServerResponse, options: RelayOptions): Promise<void> {
  const { models, model, path, body, signal, redact } = options;
  const settings = await models.settings();
  const endpoint = endpointOf(settings, model);
  const { timeoutMs } = settings;
  const sent =
    endpoint.model === model ? body.bytes : JSON.stringify({ ...(body.value as object), model: endpoint.model });
  const { origin, pathname } = new URL(endpoint.baseUrl);
  await models.inQueue(endpoint, settings, signal, async () => {
    const answer = new RelayedAnswer(response, { signal, silenceMs: timeoutMs });
    try {
      const request = {
        origin,
        path: `${pathname === '/' ? '' : pathname}${path}`,
        method: 'POST' as const,
        headers: {
          'content-type': 'application/json',
          ...(endpoint.apiKey !== undefined && { authorization: `Bearer ${endpoint.apiKey}` }),
        },
        body: sent,
      };
      models.relayPool(origin).dispatch(request, answer);
      await answer.done;
    } catch (thrown) {
      if (signal.aborted) throw withdrawn(signal);
      const isLate = answer.wasSilent || (thrown instanceof Error && /Timeout/.test(thrown.name));
      const what = response.headersSent ? 'broke its answer off' : `cannot be reached at ${endpoint.baseUrl}`;
      const broken = new LunaError('upstream_error', `The model "${model}" ${what}: ${messageOf(thrown)}.`, {
        cause: thrown,
      });
      const error = isLate ? silent(endpoint, timeoutMs) : broken;
      if (!response.headersSent) throw error;
      endBroken(response, { isStream: answer.isStream, error, redact });
    }
    if (answer.refusedKey !== undefined)
      throw new LunaError(
        'upstream_error',
        `The model "${model}" refused with HTTP ${answer.refusedKey}. Check its key: OPENAI_API_KEY in .env, or api_key in luna.models.`,
      );
  });
}

/** Within a stream clients know an error as an event; of any other answer the connection breaks. */
function endBroken(
  response: ServerResponse,
  { isStream, error, redact }: { isStream: boolean; error: LunaError; redact: RelayOptions['redact'] },
): void {
  if (isStream && !response.destroyed) response.end(`\n\n${serverSentEvent(toOpenAiError(error, redact).body)}`);
  else response.destroy();
}
