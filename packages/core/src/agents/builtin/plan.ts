import { z } from 'zod';
import { LunaError, messageOf } from '../../errors/index.ts';
import type { AgentTurn, ChatMessage, ModelAnswer } from '../agent.ts';

/** What the planner decides in one step: calls to make, or the answer. */
export interface Plan {
  readonly calls: readonly { readonly tool: string; readonly arguments: string }[];
  readonly answer: string | null;
}

const planSchema = z.object({
  calls: z
    .array(
      z.object({
        tool: z.string().min(1),
        // Asked for as text; some models give the object itself.
        arguments: z
          .union([z.string(), z.record(z.string(), z.unknown()).transform((args) => JSON.stringify(args))])
          .default('{}'),
      }),
    )
    .max(100)
    .default([]),
  answer: z
    .string()
    .nullish()
    .transform((answer) => answer ?? null),
});

const strictSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['thought', 'calls', 'answer'],
  properties: {
    thought: { type: 'string', description: 'Why, in one sentence.' },
    calls: {
      type: 'array',
      description: 'Tools to call now, side by side. Empty when there is an answer.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['tool', 'arguments'],
        properties: {
          tool: { type: 'string' },
          arguments: { type: 'string', description: 'The arguments as the text of a JSON object.' },
        },
      },
    },
    answer: { type: ['string', 'null'], description: 'The answer for the user; null while calls are to be made.' },
  },
};

/** From the most exact that an endpoint may offer to none at all. */
const formats: readonly unknown[] = [
  { type: 'json_schema', json_schema: { name: 'plan', strict: true, schema: strictSchema } },
  { type: 'json_object' },
  { type: 'text' },
];

/** How often a model may try again that answered with something else. */
const repairs = 2;

/** Asks models for plans. What an endpoint refuses of structured output is not asked of it again in the same turn. */
export class Planner {
  readonly #turn: AgentTurn;
  #format = 0;

  constructor(turn: AgentTurn) {
    this.#turn = turn;
  }

  /** Adds the plan to the messages. Throws `upstream_error` for a model that gives none. */
  async next(messages: ChatMessage[]): Promise<{ plan: Plan; answer: ModelAnswer }> {
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#ask(messages);
      messages.push({ role: 'assistant', content: answer.text });
      const read = readPlan(answer.text);
      if ('plan' in read) return { plan: read.plan, answer };
      if (attempt >= repairs)
        throw new LunaError('upstream_error', `The model gave no plan that can be read: ${read.wrong}`);
      messages.push({ role: 'user', content: `That is not the JSON that was asked for: ${read.wrong} Answer again.` });
    }
  }

  async #ask(messages: readonly ChatMessage[]): Promise<ModelAnswer> {
    for (;;) {
      try {
        return await this.#turn.ask({ messages, response_format: formats[this.#format] });
      } catch (thrown) {
        const isRefused =
          thrown instanceof LunaError &&
          thrown.details?.status === 400 &&
          /response_format|json_schema|json_object|structured/i.test(thrown.message);
        if (!isRefused || this.#format + 1 >= formats.length) throw thrown;
        this.#format++;
      }
    }
  }
}

/** What the planner is told: what a plan is, and which tools there are. */
export function plannerPrompt(turn: AgentTurn): ChatMessage {
  const own = turn.tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  const clients = turn.clientTools.map((tool) => tool.function);
  const content = [
    'Plan how to answer the user with the tools below. Answer with one JSON object and nothing else:',
    '{"thought": string, "calls": [{"tool": string, "arguments": string}], "answer": string or null}',
    'In "calls" name the tools to call now, each with its arguments as the text of a JSON object. Their results come in the next message. When you know enough, or no tool helps, leave "calls" empty and give the "answer".',
    `Tools: ${JSON.stringify([...own, ...clients])}`,
  ].join('\n');
  return { role: 'system', content };
}

/** Reads a plan out of what a model said, which may stand in a block of code or between words. */
export function readPlan(text: string): { readonly plan: Plan } | { readonly wrong: string } {
  const [begin, end] = [text.indexOf('{'), text.lastIndexOf('}')];
  if (begin < 0 || end < begin) return { wrong: 'There is no JSON object in it.' };
  let value: unknown;
  try {
    value = JSON.parse(text.slice(begin, end + 1));
  } catch (thrown) {
    return { wrong: `${messageOf(thrown)}.` };
  }
  const parsed = planSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { wrong: `"${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not legal'}.` };
  }
  const { calls, answer } = parsed.data;
  if (calls.length === 0 && answer === null) return { wrong: 'It has neither calls nor an answer.' };
  return { plan: { calls, answer } };
}
