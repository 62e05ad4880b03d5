import type { Agents } from '../agents.ts';
import { type AgentExchange, sendJson } from './exchange.ts';
import { toOpenAiError } from './openai-errors.ts';
import { ResponseWriter } from './responses.ts';
import { chatRequestOf, parseResponsesRequest } from './responses-request.ts';
import { EventOutput } from './turn-stream.ts';

/** Answers `POST /v1/responses` by an agent: whole, or as a stream. Throws while nothing has been answered. */
export async function answerResponses(agents: Agents, exchange: AgentExchange): Promise<void> {
  const { body, caller, memory, signal, response, redact } = exchange;
  const request = parseResponsesRequest(body.value);
  const chat = chatRequestOf(request);
  let run = '';
  const onBegin = (id: string) => {
    run = id;
  };
  if (request.stream !== true) {
    const writer = new ResponseWriter(request);
    const listener = { onBegin, onText: (text: string) => writer.text(text) };
    const outcome = await agents.turn(chat, { caller, memory, signal, listener });
    sendJson(response, 200, writer.end(outcome), { 'x-luna-run': run });
    return;
  }
  const output = new EventOutput(response, () => ({ 'x-luna-run': run }));
  const writer = new ResponseWriter(request, (event) =>
    output.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
  );
  let begun = false;
  const first = () => {
    if (!begun) writer.begin();
    begun = true;
  };
  const listener = {
    onBegin,
    onText: (text: string) => {
      first();
      writer.text(text);
    },
    onReasoning: (text: string) => {
      first();
      writer.reasoning(text);
    },
  };
  try {
    const outcome = await agents.turn(chat, { caller, memory, signal, listener });
    first();
    writer.end(outcome);
    output.end();
  } catch (thrown) {
    output.stop();
    if (!output.begun) throw thrown;
    writer.fail(toOpenAiError(thrown, redact).body.error);
    output.end();
  }
}
