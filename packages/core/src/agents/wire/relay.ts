import type { ServerResponse } from 'node:http';
import { request } from 'undici';
import { LunaError, messageOf } from '../../errors/index.ts';
import { endpointOf } from '../endpoint.ts';
import { type Models, modelError, silent, withdrawn } from '../model.ts';
import { serverSentEvent } from './chat-completions.ts';
import { toOpenAiError } from './openai-errors.ts';

/** Headers of an answer that are the client's, too. */
const passedOn = /^(?:content-type|cache-control|retry-after|x-request-id|openai-.*|x-ratelimit-.*)$/;

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
  let isStream = false;
  await models.inQueue(endpoint, settings, signal, async () => {
    try {
      const answer = await request(`${endpoint.baseUrl}${path}`, {
        method: 'POST',
        dispatcher: models.dispatcher,
        headers: {
          'content-type': 'application/json',
          ...(endpoint.apiKey !== undefined && { authorization: `Bearer ${endpoint.apiKey}` }),
        },
        body: sent,
        signal,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      if (answer.statusCode === 401 || answer.statusCode === 403) {
        await answer.body.dump();
        throw new LunaError(
          'upstream_error',
          `The model "${model}" refused with HTTP ${answer.statusCode}. Check its key: OPENAI_API_KEY in .env, or api_key in luna.models.`,
        );
      }
      const headers: Record<string, string | string[]> = {};
      for (const [name, value] of Object.entries(answer.headers))
        if (value !== undefined && passedOn.test(name)) headers[name] = value;
      isStream = String(headers['content-type'] ?? '').startsWith('text/event-stream');
      response.writeHead(answer.statusCode, headers);
      await pipe(answer.body, response);
    } catch (thrown) {
      if (signal.aborted) throw withdrawn(signal);
      const isLate = thrown instanceof Error && /Timeout/.test(thrown.name);
      const unreachable = new Error(`it cannot be reached at ${endpoint.baseUrl}: ${messageOf(thrown)}`, {
        cause: thrown,
      });
      const error = isLate ? silent(endpoint, timeoutMs) : modelError(unreachable, endpoint, timeoutMs);
      if (!response.headersSent) throw thrown instanceof LunaError ? thrown : error;
      endBroken(response, { isStream, error, redact });
    }
  });
}

/** Chunks go out as they come in; a client that reads slowly slows the endpoint. */
function pipe(body: NodeJS.ReadableStream & { destroy(): void }, response: ServerResponse): Promise<void> {
  return new Promise((settle, reject) => {
    const gone = () => {
      body.destroy();
      settle();
    };
    response.once('close', gone);
    response.on('drain', () => body.resume());
    body.on('data', (chunk: Buffer) => {
      if (!response.write(chunk)) body.pause();
    });
    body.once('error', (error) => {
      response.off('close', gone);
      reject(error);
    });
    body.once('end', () => {
      response.off('close', gone);
      response.end(() => settle());
    });
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
