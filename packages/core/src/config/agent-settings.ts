import { z } from 'zod';

/** Names of presets that are made from now on: clients send them as the name of a model. */
export const presetName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'use 1-64 letters, digits, ".", "_" and "-", starting with a letter or digit',
  );

const limitFields = {
  max_steps: z.int().min(1).max(1_000).describe('The most answers of the model in one turn.'),
  max_total_tokens: z
    .int()
    .min(1)
    .describe('No further step once the answers of a turn have used so many tokens in all. Default: no limit.'),
  max_parallel_calls: z.int().min(1).max(64).describe('The most calls of tools at a time.'),
  max_argument_bytes: z.int().min(1).describe('Longer arguments of a call go back to the model.'),
  max_result_characters: z.int().min(100).describe('Of a longer result of a tool the model gets the beginning.'),
  timeout_seconds: z.number().positive().describe('The longest time of one turn.'),
};

/** How much one turn of an agent may do. */
export const agentLimits = z.looseObject({
  max_steps: limitFields.max_steps.default(25),
  max_total_tokens: limitFields.max_total_tokens.optional(),
  max_parallel_calls: limitFields.max_parallel_calls.default(8),
  max_argument_bytes: limitFields.max_argument_bytes.default(262_144),
  max_result_characters: limitFields.max_result_characters.default(50_000),
  timeout_seconds: limitFields.timeout_seconds.default(900),
});

export const agentPresetConfig = z
  .looseObject({
    base_agent: z.string().min(1).default('simple_agent').describe('The agent that does the work.'),
    enabled: z.boolean().default(true).describe('Whether clients can use it.'),
    description: z.string().optional().describe('What it is for, for people.'),
    tool_config: z
      .record(z.string(), z.looseObject({ enabled: z.boolean().optional() }))
      .default({})
      .describe('The tools that it may use: those with "enabled": true, and no others.'),
    model: z.string().min(1).optional().describe('Instead of luna.default_llm.'),
    instructions: z.string().optional().describe('What the model is told before the conversation.'),
    temperature: z.number().min(0).max(2).optional().describe('Used where the request says none.'),
    show_progress: z
      .boolean()
      .default(true)
      .describe('Whether clients that stream hear which tools run, and what these say of their progress.'),
    limits: z.looseObject(limitFields).partial().optional().describe('Instead of luna.agent_limits, each by itself.'),
  })
  .describe('One preset: an agent with its tools and settings.');

export const modelConfig = z
  .looseObject({
    model: z.string().min(1).optional().describe('What the endpoint calls it. Default: the name here.'),
    base_url: z
      .string()
      .min(1)
      .optional()
      .describe('An OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1. Default: OPENAI_BASE_URL.'),
    api_key: z
      .string()
      .optional()
      .describe('The key of that endpoint, best as ${NAME} of an environment key. Default: none.'),
  })
  .describe('One model.');

export type AgentLimits = z.infer<typeof agentLimits>;
export type AgentPresetConfig = z.infer<typeof agentPresetConfig>;
export type ModelConfig = z.infer<typeof modelConfig>;
