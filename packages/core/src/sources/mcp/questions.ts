import { LunaError, toLunaError } from '../../errors/index.ts';
import type { CallClient, McpObject, SourceCall, ToolProgress } from '../../tools/index.ts';
import type { WireRequestOptions } from './pending-request.ts';
import type { UpstreamMessage, Wire } from './wire.ts';

/** What Luna declares that it can do for a server: its clients may be able to, and are asked when it comes to it. */
export const relayedCapabilities = {
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
};

/** The questions of servers that are passed on to clients, with the capability that a client must have declared. */
const neededCapability: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
};

const maxRounds = 64;

/**
 * Passes the questions of one server to the right client. A question on the stream of a request's answer is for the
 * client of that request. One that comes by itself is for the only client that has requests under way, or the only one
 * there is; where several could be meant, none is asked, since a wrong one would see what is not its own.
 */
export class Questions {
  readonly #wire: Wire;
  readonly #clients: () => Iterable<CallClient>;
  readonly #open = new Map<string | number, AbortController>();

  constructor(wire: Wire, clients: () => Iterable<CallClient>) {
    this.#wire = wire;
    this.#clients = clients;
  }

  /** Takes a question, or a server's word that it no longer wants the answer; false for anything else. */
  take(message: UpstreamMessage, request: WireRequestOptions | undefined): boolean {
    if (message.method === 'notifications/cancelled') {
      const asked = this.#open.get(message.params.requestId as string | number);
      asked?.abort();
      return asked !== undefined;
    }
    if (message.id === undefined || !(message.method in neededCapability)) return false;
    void this.#answer(message.id, message, request);
    return true;
  }

  /** The client that something from the server is for. */
  clientOf(request: WireRequestOptions | undefined): CallClient | undefined {
    if (request) return request.client;
    const working = this.#working();
    const possible = working.length > 0 ? working : distinct(this.#clients());
    return possible.length === 1 ? possible[0] : undefined;
  }

  /** Whether several clients have requests under way, so that what the server says may be about any of them. */
  get isShared(): boolean {
    return this.#working().length > 1;
  }

  get isBusy(): boolean {
    return this.#working().length > 0;
  }

  #working(): CallClient[] {
    return distinct([...this.#wire.underWay].flatMap(({ client }) => client ?? []));
  }

  async #answer(id: string | number, message: UpstreamMessage, request: WireRequestOptions | undefined): Promise<void> {
    const controller = new AbortController();
    this.#open.set(id, controller);
    try {
      const result = await this.#ask(message, request, controller.signal);
      await this.#wire.send({ jsonrpc: '2.0', id, result: { ...result } });
    } catch (thrown) {
      const error = toLunaError(thrown).details?.rpc ?? { code: -32603, message: toLunaError(thrown).message };
      if (!controller.signal.aborted)
        await this.#wire.send({ jsonrpc: '2.0', id, error: error as { code: number; message: string } });
    } finally {
      this.#open.delete(id);
    }
  }

  async #ask(
    { method, params }: UpstreamMessage,
    request: WireRequestOptions | undefined,
    signal: AbortSignal,
  ): Promise<McpObject> {
    const client = this.clientOf(request);
    if (!client) {
      if (method === 'roots/list') return { roots: [] };
      throw refusal('It cannot be told which client this is for. Ask while one of its requests is under way.');
    }
    return askClient(
      client,
      method,
      params,
      { signal, requests: request ? [request] : this.#requestsOf(client) },
      (progress) => this.#tellProgress(params, progress),
    );
  }

  #requestsOf(client: CallClient): WireRequestOptions[] {
    return [...this.#wire.underWay].filter((request) => request.client?.key === client.key);
  }

  #tellProgress(params: McpObject, progress: ToolProgress): void {
    const meta = params._meta;
    const progressToken =
      typeof meta === 'object' && meta !== null && 'progressToken' in meta ? meta.progressToken : undefined;
    if (progressToken === undefined) return;
    const notification = { method: 'notifications/progress', params: { ...progress, progressToken } };
    this.#wire.send({ jsonrpc: '2.0', ...notification }).catch(() => undefined);
  }
}

/**
 * Sends a request whose result may be questions (MCP 2026-07-28, `input_required`). A client that takes them as
 * results gets them as they are; any other is asked, and the request is sent again with its answers.
 */
export function requestWithQuestions(
  wire: Wire,
  method: string,
  params: McpObject,
  call: SourceCall,
  paramHeaders?: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  const first = wire.request(method, call.retry ? { ...params, ...call.retry } : params, call, paramHeaders);
  return first.then((result) =>
    'resultType' in result ? answered(wire, method, params, call, { first: result, paramHeaders }) : result,
  );
}

/** Has the questions of a result answered, and gives the result that asks no more. */
async function answered(
  wire: Wire,
  method: string,
  params: McpObject,
  call: SourceCall,
  { first, paramHeaders }: { first: McpObject; paramHeaders: Readonly<Record<string, string>> | undefined },
): Promise<Record<string, unknown>> {
  let result = first;
  for (let round = 0; result.resultType === 'input_required'; round++) {
    const { client } = call;
    if (client?.takesQuestionsAsResults) return { ...result };
    if (!client) throw refusal('The server asks its client for input, and there is no client here to ask.');
    if (round === maxRounds) throw refusal(`The server asked for input ${maxRounds} times and was given up.`);
    const inputResponses = await askAll(client, result.inputRequests, call);
    const { requestState } = result;
    result = await wire.request(
      method,
      { ...params, inputResponses, ...(requestState !== undefined && { requestState }) },
      call,
      paramHeaders,
    );
  }
  const { resultType: _resultType, ...rest } = result;
  return rest;
}

async function askAll(client: CallClient, asked: unknown, call: SourceCall): Promise<McpObject> {
  const questions = Object.entries(isObject(asked) ? asked : {});
  const answers = await Promise.all(
    questions.map(async ([key, question]) => {
      if (!isObject(question) || typeof question.method !== 'string')
        throw refusal(`The server asks in a way that is not MCP's: ${JSON.stringify(question)?.slice(0, 200)}`);
      const params = isObject(question.params) ? question.params : {};
      return [
        key,
        await askClient(client, question.method, params, { signal: call.signal, requests: [call] }),
      ] as const;
    }),
  );
  return Object.fromEntries(answers);
}

/** Asks a client what it has declared that it can answer. */
async function askClient(
  client: CallClient,
  method: string,
  params: McpObject,
  { signal, requests }: { signal: AbortSignal; requests: readonly { openQuestions?: number }[] },
  onProgress?: (progress: ToolProgress) => void,
): Promise<McpObject> {
  const needed = neededCapability[method];
  if (needed === undefined || client.capabilities[needed] === undefined)
    throw refusal(`The client cannot be asked "${method}": it has not declared that it can do that.`);
  for (const request of requests) request.openQuestions = (request.openQuestions ?? 0) + 1;
  try {
    return await client.ask(method, params, { signal, ...(onProgress && { onProgress }) });
  } finally {
    for (const request of requests) request.openQuestions = (request.openQuestions ?? 1) - 1;
  }
}

/** "Method not found": what a client answers that does not know the question. */
function refusal(message: string): LunaError {
  return new LunaError('upstream_error', message, { details: { rpc: { code: -32601, message } } });
}

function distinct(clients: Iterable<CallClient>): CallClient[] {
  return [...new Map([...clients].map((client) => [client.key, client])).values()];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
