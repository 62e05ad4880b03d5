import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LunaError, toLunaError } from '../errors/index.ts';
import type { Caller } from '../tools/index.ts';
import type { Agents } from './agents.ts';
import { modelNameOf } from './chat-request.ts';
import { answerChat } from './wire/answer-chat.ts';
import { answerResponses } from './wire/answer-responses.ts';
import { readBody } from './wire/body.ts';
import { type AgentExchange, sendJson } from './wire/exchange.ts';
import { modelObject, modelObjects } from './wire/models.ts';
import { toOpenAiError } from './wire/openai-errors.ts';
import { relay } from './wire/relay.ts';

export interface AgentHttpOptions {
  /** Covers secrets in errors. */
  readonly redact?: (text: string) => string;
  /** Told of failures of Luna itself. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The face of agents for clients of OpenAI, on Node's own request and response. It checks no key: put that in front of
 * it. Errors have OpenAI's shape.
 */
export class AgentHttp {
  readonly #agents: Agents;
  readonly #options: AgentHttpOptions;

  constructor(agents: Agents, options: AgentHttpOptions = {}) {
    this.#agents = agents;
    this.#options = options;
  }

  /** Answers a request. `path` is what follows `/v1`, such as `/chat/completions`. It does not throw. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    { path, caller }: { path: string; caller: Caller },
  ): Promise<void> {
    const { redact } = this.#options;
    const hangUp = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) hangUp.abort(new LunaError('cancelled', 'The client hung up.'));
    });
    try {
      if (path === '/models' || path.startsWith('/models/'))
        return await this.#models(request, response, path.slice('/models/'.length));
      if (path !== '/chat/completions' && path !== '/responses')
        throw new LunaError(
          'not_found',
          `There is nothing at /v1${path.slice(0, 200)}. Use /v1/chat/completions, /v1/responses or /v1/models.`,
        );
      assertMethod(request, response, 'POST');
      const body = await readBody(request);
      const memory = memoryOf(request);
      const exchange = { request, response, body, caller, memory, signal: hangUp.signal, redact };
      await this.#answer(exchange, path);
    } catch (thrown) {
      this.#fail(response, thrown);
    }
  }

  /** Answers with an error in OpenAI's shape. */
  refuse(response: ServerResponse, thrown: unknown): void {
    this.#fail(response, thrown);
  }

  async #answer(exchange: AgentExchange, path: string): Promise<void> {
    const name = modelNameOf(exchange.body.value);
    const { models } = this.#agents;
    if (this.#agents.find(name))
      return path === '/responses'
        ? answerResponses(this.#agents, exchange)
        : answerChat(this.#agents, exchange, completionId());
    if (await models.has(name)) {
      const { body, signal, redact } = exchange;
      return relay(exchange.response, { models, model: name, path, body, signal, redact });
    }
    throw new LunaError(
      'not_found',
      `There is no agent, preset or model "${name.slice(0, 200)}". GET /v1/models lists what there is.`,
      { details: { param: 'model' } },
    );
  }

  async #models(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    assertMethod(request, response, 'GET');
    const name = decodeURIComponent(id);
    const body = name === '' ? await modelObjects(this.#agents) : await modelObject(this.#agents, name);
    sendJson(response, 200, body);
  }

  #fail(response: ServerResponse, thrown: unknown): void {
    const { code } = toLunaError(thrown);
    if (code === 'internal') this.#options.onError?.(thrown);
    if (response.destroyed || response.writableEnded) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { status, headers, body } = toOpenAiError(thrown, this.#options.redact);
    // What is left of a body that was not read would be taken for the next request.
    if (code === 'too_large') response.setHeader('connection', 'close');
    sendJson(response, status, body, headers);
  }
}

function completionId(): string {
  return `chatcmpl-${randomUUID().replaceAll('-', '')}`;
}

function assertMethod(request: IncomingMessage, response: ServerResponse, method: string): void {
  if (request.method === method) return;
  response.setHeader('allow', method);
  throw new LunaError('invalid_input', `Use ${method} here.`);
}

/** `X-Luna-Memory`. Headers hold ASCII, so that other text may be percent-encoded in it. */
function memoryOf({ headers }: IncomingMessage): string | undefined {
  const given = headers['x-luna-memory'];
  const text = Array.isArray(given) ? given.join('\n') : given;
  if (text === undefined || text.trim() === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // A plain "%" in it: it was not encoded.
    return Buffer.from(text, 'latin1').toString('utf8');
  }
}
