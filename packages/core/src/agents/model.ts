import type OpenAI from 'openai';
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import PQueue from 'p-queue';
import { Agent as Dispatcher, fetch as pooledFetch } from 'undici';
import { LunaError, messageOf } from '../errors/index.ts';
import { Http1Pool } from '../sources/egress/index.ts';
import type { ModelAnswer } from './agent.ts';
import { AnswerBuilder, type AnswerListener } from './answer-builder.ts';
import { endpointOf, isModel, type ModelEndpoint, type ModelSettings, modelNames } from './endpoint.ts';

/** Loaded with the first request to a model: many homes have none, and it takes 10 MB. */
const openAi = () => import('openai');

/** Models that are reached at OpenAI-compatible endpoints. Connections and places in the queue are shared by all who ask. */
export class Models {
  readonly #settings: () => ModelSettings | Promise<ModelSettings>;
  readonly #dispatcher = new Dispatcher({ keepAliveTimeout: 30_000, connections: null, pipelining: 1 });
  /** By origin: as many as addresses were ever configured. */
  readonly #relayPools = new Map<string, Http1Pool>();
  readonly #queues = new Map<string, PQueue>();
  readonly #clients = new Map<string, OpenAI>();

  /** `settings` is asked before each request, so that changes are in force at once. */
  constructor(settings: () => ModelSettings | Promise<ModelSettings>) {
    this.#settings = settings;
  }

  settings(): ModelSettings | Promise<ModelSettings> {
    return this.#settings();
  }

  async names(): Promise<string[]> {
    return modelNames(await this.#settings());
  }

  async has(name: string): Promise<boolean> {
    return isModel(await this.#settings(), name);
  }

  /** The connections to the endpoints at an origin, for a relay: streams of many small chunks cost it least. */
  relayPool(origin: string): Http1Pool {
    let pool = this.#relayPools.get(origin);
    if (!pool) {
      pool = new Http1Pool(origin, { connections: 1_000, keepMs: 30_000 });
      this.#relayPools.set(origin, pool);
    }
    return pool;
  }

  /** Runs work in the queue of an endpoint. Throws `cancelled` when the signal is aborted while it waits. */
  async inQueue<Result>(
    endpoint: ModelEndpoint,
    settings: ModelSettings,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const queue = this.#queueOf(endpoint, settings);
    try {
      return (await queue.add(work, { signal })) as Result;
    } catch (thrown) {
      throw signal.aborted ? withdrawn(signal) : thrown;
    }
  }

  /**
   * Asks a model; without a name the default one. Throws `model_unavailable`, `upstream_error` with the status of the
   * endpoint in `details.status`, `limit_exceeded` when the endpoint says 429, `timeout`, `cancelled`.
   */
  async ask(
    name: string | undefined,
    params: Readonly<Record<string, unknown>>,
    { signal, ...listener }: { readonly signal: AbortSignal } & AnswerListener,
  ): Promise<ModelAnswer & { readonly model: string }> {
    const settings = await this.#settings();
    const endpoint = endpointOf(settings, name);
    const answer = await this.inQueue(endpoint, settings, signal, () =>
      this.#stream(endpoint, settings, params, signal, listener),
    );
    return { ...answer, model: endpoint.name };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relayPools.values(), this.#dispatcher].map((dispatcher) => dispatcher.destroy()));
  }

  async #stream(
    endpoint: ModelEndpoint,
    { timeoutMs, retries }: ModelSettings,
    params: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    listener: AnswerListener,
  ): Promise<ModelAnswer> {
    const silence = new SilenceWatch(timeoutMs);
    const ended = AbortSignal.any([signal, silence.signal]);
    const builder = new AnswerBuilder(listener);
    silence.heard();
    try {
      // A caller's params win over nothing that Luna decides: the answer is always read as a stream.
      const body = { ...params, model: endpoint.model, stream: true, stream_options: { include_usage: true } };
      const client = await this.#clientOf(endpoint);
      const { data: stream, response } = await client.chat.completions
        .create(body as unknown as ChatCompletionCreateParamsStreaming, {
          signal: ended,
          timeout: timeoutMs,
          maxRetries: retries,
        })
        .withResponse();
      silence.heard();
      // Some endpoints stream nothing, and some say with status 200 what went wrong.
      if (isJson(response)) builder.addWhole(await response.json());
      else
        for await (const chunk of stream) {
          silence.heard();
          builder.add(chunk as ChatCompletionChunk);
        }
      if (ended.aborted) throw ended.reason;
      return builder.answer();
    } catch (thrown) {
      if (signal.aborted) throw withdrawn(signal);
      if (silence.signal.aborted) throw silent(endpoint, timeoutMs);
      throw modelError(thrown, endpoint, timeoutMs, await openAi());
    } finally {
      silence.stop();
    }
  }

  async #clientOf({ baseUrl, apiKey }: ModelEndpoint): Promise<OpenAI> {
    const key = JSON.stringify([baseUrl, apiKey]);
    const known = this.#clients.get(key);
    if (known) return known;
    // Keys that were replaced are not used again.
    if (this.#clients.size >= 100) this.#clients.clear();
    const { default: Client } = await openAi();
    const client = new Client({
      baseURL: baseUrl,
      apiKey: apiKey ?? 'none',
      ...(apiKey === undefined && { defaultHeaders: { authorization: null } }),
      organization: null,
      project: null,
      webhookSecret: null,
      adminAPIKey: null,
      logLevel: 'off',
      fetch: pooledFetch as unknown as typeof fetch,
      // The watch here is stricter than the connection's own.
      fetchOptions: { dispatcher: this.#dispatcher } as Record<string, unknown>,
    });
    this.#clients.set(key, client);
    return client;
  }

  #queueOf({ baseUrl }: ModelEndpoint, { concurrency }: ModelSettings): PQueue {
    let queue = this.#queues.get(baseUrl);
    if (!queue) {
      queue = new PQueue({ concurrency });
      this.#queues.set(baseUrl, queue);
    } else if (queue.concurrency !== concurrency) queue.concurrency = concurrency;
    return queue;
  }
}

/** Aborts when nothing is heard for too long; attempts that are repeated share the time up to the first byte. */
class SilenceWatch {
  readonly #controller = new AbortController();
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#controller.abort(), this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** The error of work that its caller withdrew; a limit of Luna's own says so by itself. */
export function withdrawn(signal: AbortSignal): LunaError {
  if (signal.reason instanceof LunaError) return signal.reason;
  return new LunaError('cancelled', 'The request was cancelled.', { cause: signal.reason });
}

export function silent({ name }: ModelEndpoint, timeoutMs: number): LunaError {
  return new LunaError(
    'timeout',
    `The model "${name}" was silent for ${timeoutMs / 1000} s. Raise luna.llm_timeout_seconds if it needs longer.`,
  );
}

/** What an endpoint did wrong, in Luna's words. */
function modelError(
  thrown: unknown,
  endpoint: ModelEndpoint,
  timeoutMs: number,
  { APIConnectionError, APIError, APIUserAbortError }: Awaited<ReturnType<typeof openAi>>,
): LunaError {
  if (thrown instanceof LunaError) return thrown;
  const of = `The model "${endpoint.name}"`;
  if (thrown instanceof APIUserAbortError)
    return new LunaError('cancelled', 'The request was cancelled.', { cause: thrown });
  if (thrown instanceof APIConnectionError) {
    if (/timed? ?out/i.test(thrown.message)) return silent(endpoint, timeoutMs);
    const why = thrown.cause === undefined ? thrown.message : causeOf(thrown.cause);
    return new LunaError('upstream_error', `${of} cannot be reached at ${endpoint.baseUrl}: ${why}.`, {
      cause: thrown,
    });
  }
  if (thrown instanceof APIError && typeof thrown.status === 'number')
    return refusalOf(endpoint, thrown.status, thrown.message, thrown.headers?.get('retry-after') ?? undefined, thrown);
  const what =
    thrown instanceof APIError
      ? 'answered with an error'
      : thrown instanceof SyntaxError
        ? 'answered with something that is no chat completion'
        : 'broke its answer off';
  return new LunaError('upstream_error', `${of} ${what}: ${causeOf(thrown)}.`, { cause: thrown });
}

function refusalOf(
  endpoint: ModelEndpoint,
  status: number,
  message: string,
  retryAfter: string | undefined,
  cause: unknown,
): LunaError {
  const said = message.slice(0, 500);
  const details = { status };
  if (status === 429) {
    const seconds = Number(retryAfter);
    return new LunaError('limit_exceeded', `The model "${endpoint.name}" is asked too much now: ${said}`, {
      details: { ...details, retryAfterSeconds: Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : 1 },
      cause,
    });
  }
  const advice =
    status === 401 || status === 403 ? ' Check its key: OPENAI_API_KEY in .env, or api_key in luna.models.' : '';
  return new LunaError('upstream_error', `The model "${endpoint.name}" refused with HTTP ${status}: ${said}${advice}`, {
    details,
    cause,
  });
}

function isJson(response: Response): boolean {
  return /^application\/json\b/i.test(response.headers.get('content-type') ?? '');
}

function causeOf(thrown: unknown): string {
  const inner = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  return messageOf(inner) || 'no reason was given';
}
