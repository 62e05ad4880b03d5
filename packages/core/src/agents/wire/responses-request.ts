import { z } from 'zod';
import { LunaError } from '../../errors/index.ts';
import type { ChatMessage, ModelToolCall } from '../agent.ts';
import { type ChatRequest, parseChatRequest, parsed } from '../chat-request.ts';

const functionTool = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

/** The body of `POST /v1/responses` as an agent takes it. */
const responsesRequestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.looseObject({ type: z.string().optional() }))]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  background: z.boolean().nullish(),
  tools: z.array(functionTool).nullish(),
  tool_choice: z.unknown().optional(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish() }).nullish(),
});

export type ResponsesRequest = z.infer<typeof responsesRequestSchema>;

/** Parses the body. Throws `invalid_input`, naming the field, also for what agents do not offer. */
export function parseResponsesRequest(body: unknown): ResponsesRequest {
  const request = parsed(responsesRequestSchema, body);
  if (request.previous_response_id)
    throw refused('previous_response_id', 'Luna keeps no responses. Send the whole conversation as input.');
  if (request.background) throw refused('background', 'Agents answer at once. Leave "background" out.');
  const odd = request.tools?.find((tool) => tool.type !== 'function' || !tool.name);
  if (odd) throw refused('tools', `Only tools of the type "function" are passed on, not "${odd.type}".`);
  return request;
}

/** The same request as a chat completion. */
export function chatRequestOf(request: ResponsesRequest): ChatRequest {
  const { input, instructions, tools, text } = request;
  const messages: ChatMessage[] = instructions ? [{ role: 'system', content: instructions }] : [];
  messages.push(...(typeof input === 'string' ? [{ role: 'user', content: input }] : messagesOf(input)));
  const { temperature, top_p, max_output_tokens } = request;
  return parseChatRequest({
    model: request.model,
    messages,
    ...(tools && tools.length > 0 && { tools: tools.map(chatTool) }),
    ...(request.tool_choice !== undefined && { tool_choice: chatToolChoice(request.tool_choice) }),
    ...(temperature !== null && { temperature }),
    ...(top_p !== null && { top_p }),
    ...(max_output_tokens !== null && { max_completion_tokens: max_output_tokens }),
    ...(text?.format && text.format.type !== 'text' && { response_format: chatFormat(text.format) }),
  });
}

function messagesOf(items: readonly Record<string, unknown>[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let calls: ModelToolCall[] = [];
  const flush = () => {
    if (calls.length > 0) messages.push({ role: 'assistant', content: null, tool_calls: calls });
    calls = [];
  };
  for (const [index, item] of items.entries()) {
    if (item.type === 'function_call') {
      const { call_id, name, arguments: args } = item;
      calls.push({ id: String(call_id), type: 'function', function: { name: String(name), arguments: String(args) } });
      continue;
    }
    flush();
    if (item.type === 'function_call_output')
      messages.push({ role: 'tool', tool_call_id: String(item.call_id), content: outputText(item.output) });
    else if (typeof item.role === 'string')
      messages.push({ role: chatRole(item.role), content: contentOf(item.content) });
    // What a model thought is no part of a chat.
    else if (item.type !== 'reasoning')
      throw refused(`input.${index}`, `An input of the type "${item.type}" is not known here.`);
  }
  flush();
  return messages;
}

/** Not every endpoint knows developers. */
function chatRole(role: string): string {
  return role === 'developer' ? 'system' : role;
}

function contentOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  const parts = content.map(chatPart);
  const texts = parts.flatMap((part) => (part.type === 'text' && typeof part.text === 'string' ? [part.text] : []));
  return texts.length === parts.length ? texts.join('\n') : parts;
}

function chatPart(part: Record<string, unknown>): Record<string, unknown> {
  if (part.type === 'input_text' || part.type === 'output_text') return { type: 'text', text: part.text };
  if (part.type === 'refusal') return { type: 'text', text: part.refusal };
  if (part.type !== 'input_image') return part;
  const { image_url: url, detail } = part;
  return { type: 'image_url', image_url: { url, ...(typeof detail === 'string' && { detail }) } };
}

function outputText(output: unknown): string {
  return typeof output === 'string' ? output : JSON.stringify(output ?? '');
}

function chatTool({ name, description, parameters, strict }: z.infer<typeof functionTool>): object {
  return {
    type: 'function',
    function: {
      name,
      ...(description && { description }),
      ...(parameters && { parameters }),
      ...(strict && { strict }),
    },
  };
}

function chatToolChoice(choice: unknown): unknown {
  const isNamed = typeof choice === 'object' && choice !== null && 'name' in choice;
  return isNamed ? { type: 'function', function: { name: choice.name } } : choice;
}

function chatFormat({ type, ...format }: { type: string; [key: string]: unknown }): object {
  return type === 'json_schema' ? { type, json_schema: format } : { type };
}

function refused(param: string, message: string): LunaError {
  return new LunaError('invalid_input', message, { details: { param } });
}
