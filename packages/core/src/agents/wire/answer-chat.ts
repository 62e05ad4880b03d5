import type { Agents, TurnOutcome } from '../agents.ts';
import { type ChatRequest, parseChatRequest } from '../chat-request.ts';
import {
  type CompletionHead,
  chunk,
  completion,
  endOfStream,
  serverSentEvent,
  toolCallsDelta,
  usageChunk,
} from './chat-completions.ts';
import { type AgentExchange, sendJson } from './exchange.ts';
import { toOpenAiError } from './openai-errors.ts';
import { EventOutput } from './turn-stream.ts';

/** Answers a chat completion by an agent: whole, or as a stream. Throws while nothing has been answered. */
export async function answerChat(agents: Agents, exchange: AgentExchange, id: string): Promise<void> {
  const request = parseChatRequest(exchange.body.value);
  const head: CompletionHead = { id, created: Math.floor(Date.now() / 1000), model: request.model };
  const runs: string[] = [];
  const choices = Array.from({ length: request.n ?? 1 }, (_, index) => index);
  if (request.stream !== true) {
    const outcomes = await Promise.all(choices.map(() => turn(agents, exchange, request, { runs })));
    sendJson(exchange.response, 200, completion(head, outcomes), { 'x-luna-run': runs.join(',') });
    return;
  }
  const output = new EventOutput(exchange.response, () => ({ 'x-luna-run': runs.join(',') }));
  try {
    const outcomes = await Promise.all(
      choices.map((index) => streamed(agents, exchange, request, { head, index, output, runs })),
    );
    if (request.stream_options?.include_usage === true) output.write(serverSentEvent(usageChunk(head, outcomes)));
    output.write(endOfStream);
    output.end();
  } catch (thrown) {
    output.stop();
    if (!output.begun) throw thrown;
    // The status has been sent; clients take an error for one also within the stream.
    output.write(serverSentEvent(toOpenAiError(thrown, exchange.redact).body));
    output.end();
  }
}

interface Streaming {
  readonly head: CompletionHead;
  readonly index: number;
  readonly output: EventOutput;
  readonly runs: string[];
}

async function streamed(
  agents: Agents,
  exchange: AgentExchange,
  request: ChatRequest,
  { head, index, output, runs }: Streaming,
): Promise<TurnOutcome> {
  let begun = false;
  const send = (delta: object, finish: string | null = null) => {
    const first = begun ? {} : { role: 'assistant' };
    begun = true;
    output.write(serverSentEvent(chunk(head, index, { ...first, ...delta }, finish)));
  };
  const outcome = await turn(agents, exchange, request, {
    runs,
    onText: (content) => send({ content }),
    onReasoning: (text) => send({ reasoning_content: text }),
  });
  if (outcome.toolCalls.length > 0) send(toolCallsDelta(outcome.toolCalls));
  send({}, outcome.finish);
  return outcome;
}

function turn(
  agents: Agents,
  { caller, memory, signal }: AgentExchange,
  request: ChatRequest,
  { runs, ...listener }: { runs: string[]; onText?: (text: string) => void; onReasoning?: (text: string) => void },
): Promise<TurnOutcome> {
  return agents.turn(request, { caller, memory, signal, listener: { ...listener, onBegin: (id) => runs.push(id) } });
}
