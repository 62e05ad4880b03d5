import { z } from 'zod';
import { LunaError } from '../errors/index.ts';

const functionTool = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({
    name: z.string().min(1).max(128),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** The body of a chat completion as an agent takes it; all that it does not name is left as it came. */
const chatRequestSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.looseObject({ role: z.string().min(1), content: z.unknown().optional() })).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).max(8).nullish(),
  tools: z.array(functionTool).max(1_000).nullish(),
  tool_choice: z.unknown().optional(),
  temperature: z.number().min(0).max(2).nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
});

export type ChatRequest = z.infer<typeof chatRequestSchema>;

/** Parses the body of a chat completion. Throws `invalid_input`, naming the field. */
export function parseChatRequest(body: unknown): ChatRequest {
  return parsed(chatRequestSchema, body);
}

const namedModel = z.looseObject({ model: z.string().min(1) });

/** The name of the model in any body. Throws `invalid_input` when there is none. */
export function modelNameOf(body: unknown): string {
  return parsed(namedModel, body).model;
}

/** Parses by a schema. Throws `invalid_input` with the field in `details.param`. */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join('.') ?? '';
  const message =
    param === '' ? 'The body must be a JSON object.' : `The field "${param}" does not fit: ${issue?.message}.`;
  throw new LunaError('invalid_input', message, { details: { ...(param !== '' && { param }) } });
}

/** Fields of a request that are Luna's to decide; everything else is a setting of the model. */
const ownFields = new Set(['model', 'messages', 'stream', 'stream_options', 'n', 'tools', 'tool_choice']);

/** What a request says to the model beside the conversation: temperature, `stop`, `response_format`, … */
export function modelSettingsOf(request: ChatRequest): Record<string, unknown> {
  const settings = Object.entries(request).filter(
    ([name, value]) => !ownFields.has(name) && value !== undefined && value !== null,
  );
  return Object.fromEntries(settings);
}
