import { randomUUID } from 'node:crypto';
import type { TurnOutcome } from '../agents.ts';
import type { ResponsesRequest } from './responses-request.ts';

type Item = Readonly<Record<string, unknown>>;
type Emit = (event: Readonly<Record<string, unknown>>) => void;

/** Makes a response in OpenAI's shape, and the events of it while it comes. It knows no HTTP. */
export class ResponseWriter {
  readonly #request: ResponsesRequest;
  readonly #emit: Emit;
  readonly #id = `resp_${idText()}`;
  readonly #createdAt = Math.floor(Date.now() / 1000);
  readonly #output: Item[] = [];
  #open: OpenItem | undefined;
  #sequence = 0;

  /** `emit` gets each event; left out where nobody listens. */
  constructor(request: ResponsesRequest, emit: Emit = () => undefined) {
    this.#request = request;
    this.#emit = emit;
  }

  begin(): void {
    this.#send({ type: 'response.created', response: this.#response('in_progress') });
    this.#send({ type: 'response.in_progress', response: this.#response('in_progress') });
  }

  text(delta: string): void {
    const item = this.#opened('message');
    item.text += delta;
    this.#send({ type: 'response.output_text.delta', ...this.#place(item), content_index: 0, delta, logprobs: [] });
  }

  reasoning(delta: string): void {
    const item = this.#opened('reasoning');
    item.text += delta;
    this.#send({ type: 'response.reasoning_summary_text.delta', ...this.#place(item), summary_index: 0, delta });
  }

  /** The whole response, after the last event. */
  end({ toolCalls, finish, usage }: TurnOutcome): Item {
    this.#close();
    for (const { id, function: called } of toolCalls) this.#call(id, called.name, called.arguments);
    // Without any output clients would look for a message in vain.
    if (this.#output.length === 0) {
      this.#opened('message');
      this.#close();
    }
    const isCut = finish === 'length' || finish === 'content_filter';
    const response = {
      ...this.#response(isCut ? 'incomplete' : 'completed'),
      incomplete_details: isCut ? { reason: finish === 'length' ? 'max_output_tokens' : finish } : null,
      usage: {
        input_tokens: usage.prompt_tokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: usage.completion_tokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: usage.total_tokens,
      },
    };
    this.#send({ type: isCut ? 'response.incomplete' : 'response.completed', response });
    return response;
  }

  fail({ code, message }: { code: string; message: string }): void {
    this.#send({ type: 'response.failed', response: { ...this.#response('failed'), error: { code, message } } });
  }

  #call(callId: string, name: string, args: string): void {
    const id = `fc_${idText()}`;
    const item = { id, type: 'function_call', call_id: callId, name };
    const place = { item_id: id, output_index: this.#output.length };
    const added = { ...item, status: 'in_progress', arguments: '' };
    this.#send({ type: 'response.output_item.added', output_index: place.output_index, item: added });
    this.#send({ type: 'response.function_call_arguments.delta', ...place, delta: args });
    this.#send({ type: 'response.function_call_arguments.done', ...place, name, arguments: args });
    this.#done({ ...item, status: 'completed', arguments: args });
  }

  #opened(kind: OpenItem['kind']): OpenItem {
    if (this.#open?.kind === kind) return this.#open;
    this.#close();
    const item: OpenItem = { kind, id: `${kind === 'message' ? 'msg' : 'rs'}_${idText()}`, text: '' };
    this.#open = item;
    const place = this.#place(item);
    const isMessage = kind === 'message';
    this.#send({
      type: 'response.output_item.added',
      output_index: place.output_index,
      item: itemOf(item, 'in_progress'),
    });
    this.#send(
      isMessage
        ? { type: 'response.content_part.added', ...place, content_index: 0, part: textPart('') }
        : { type: 'response.reasoning_summary_part.added', ...place, summary_index: 0, part: summaryPart('') },
    );
    return item;
  }

  #close(): void {
    const item = this.#open;
    this.#open = undefined;
    if (!item) return;
    const { text } = item;
    const place = this.#place(item);
    if (item.kind === 'message') {
      this.#send({ type: 'response.output_text.done', ...place, content_index: 0, text, logprobs: [] });
      this.#send({ type: 'response.content_part.done', ...place, content_index: 0, part: textPart(text) });
    } else {
      this.#send({ type: 'response.reasoning_summary_text.done', ...place, summary_index: 0, text });
      this.#send({ type: 'response.reasoning_summary_part.done', ...place, summary_index: 0, part: summaryPart(text) });
    }
    this.#done(itemOf(item, 'completed'));
  }

  #done(item: Item): void {
    this.#send({ type: 'response.output_item.done', output_index: this.#output.length, item });
    this.#output.push(item);
  }

  #place({ id }: OpenItem): { item_id: string; output_index: number } {
    return { item_id: id, output_index: this.#output.length };
  }

  #send(event: Readonly<Record<string, unknown>>): void {
    this.#emit({ ...event, sequence_number: this.#sequence++ });
  }

  #response(status: string): Record<string, unknown> {
    const { model, instructions, tools, tool_choice, temperature, top_p, max_output_tokens, text, metadata } =
      this.#request;
    return {
      id: this.#id,
      object: 'response',
      created_at: this.#createdAt,
      status,
      error: null,
      incomplete_details: null,
      instructions: instructions ?? null,
      max_output_tokens: max_output_tokens ?? null,
      model,
      output: [...this.#output],
      parallel_tool_calls: true,
      previous_response_id: null,
      store: false,
      temperature: temperature ?? null,
      top_p: top_p ?? null,
      text: text ?? { format: { type: 'text' } },
      tool_choice: tool_choice ?? 'auto',
      tools: tools ?? [],
      truncation: 'disabled',
      usage: null,
      metadata: metadata ?? {},
    };
  }
}

interface OpenItem {
  readonly kind: 'message' | 'reasoning';
  readonly id: string;
  text: string;
}

function itemOf({ kind, id, text }: OpenItem, status: string): Item {
  if (kind === 'reasoning') return { id, type: 'reasoning', summary: text === '' ? [] : [summaryPart(text)] };
  const content = status === 'completed' ? [textPart(text)] : [];
  return { id, type: 'message', status, role: 'assistant', content };
}

function textPart(text: string): Item {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function summaryPart(text: string): Item {
  return { type: 'summary_text', text };
}

function idText(): string {
  return randomUUID().replaceAll('-', '');
}
