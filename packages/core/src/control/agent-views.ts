import { z } from 'zod';
import { agentPresetConfig } from '../config/index.ts';

/** What a running Luna shows of its agents. */

export const agentView = z.object({
  name: z.string().describe('What clients send as the name of a model.'),
  description: z.string(),
  toolCount: z.number().describe('The tools that it has when it is used without a preset.'),
  file: z.string().optional().describe('The file of the home that it comes from.'),
  problem: z.string().optional().describe('Why the file cannot be used, or not as it is now.'),
});

export const agentModelView = z.object({
  name: z.string().describe('What presets and clients call it; empty where no default model is set.'),
  isDefault: z.boolean().describe('Whether agents use it that name no model.'),
  problem: z.string().optional().describe('Why it cannot be asked, and what to set.'),
});

export const presetToolView = z.object({
  name: z.string().describe('The unique name of the tool, or the name of the setting where the tool is gone.'),
  source: z.string().optional(),
  description: z.string().optional(),
  enabled: z.boolean(),
  missing: z.boolean().describe('Whether the preset names it and it is not there.'),
});

export const presetView = z.object({
  name: z.string(),
  baseAgent: z.string(),
  enabled: z.boolean(),
  description: z.string().optional(),
  model: z.string().optional(),
  instructions: z.string().optional(),
  temperature: z.number().optional(),
  showProgress: z.boolean(),
  limits: z.record(z.string(), z.unknown()).optional(),
  toolConfig: agentPresetConfig.shape.tool_config,
  toolCount: z.number(),
  missingTools: z.array(z.string()).describe('Tools that it names as enabled and that are not there.'),
  problem: z.string().optional().describe('What is wrong with it and what to do.'),
});

const failure = z.object({ code: z.string(), message: z.string() });

const stepTimes = {
  atMs: z.number().describe('Since the run began.'),
  durationMs: z.number(),
  error: failure.optional(),
};

export const runStepView = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('model'),
    ...stepTimes,
    model: z.string(),
    text: z.string().describe('Shortened.'),
    wants: z.array(z.string()).describe('The tools that the model asked for.'),
    finish: z.string(),
    promptTokens: z.number(),
    completionTokens: z.number(),
  }),
  z.object({
    kind: z.literal('tool'),
    ...stepTimes,
    tool: z.string(),
    args: z.string().describe('JSON, shortened.'),
    result: z.string().describe('Shortened.'),
    outcome: z.enum(['ok', 'tool_error', 'error']),
  }),
]);

export const runSummaryView = z.object({
  id: z.string(),
  agent: z.string().describe('The preset, or the agent where none was used.'),
  baseAgent: z.string(),
  caller: z.object({ kind: z.string(), name: z.string().optional() }),
  startedAt: z.number().describe('Milliseconds since the epoch.'),
  durationMs: z.number(),
  outcome: z.enum(['ok', 'limit', 'error', 'cancelled']),
  error: failure.optional(),
  prompt: z.string().describe('The last thing that it was asked, shortened.'),
  answer: z.string().describe('Shortened.'),
  promptTokens: z.number(),
  completionTokens: z.number(),
  modelCalls: z.number(),
  toolCalls: z.number(),
});

export const runView = runSummaryView.extend({ steps: z.array(runStepView) });

export type AgentView = z.infer<typeof agentView>;
export type AgentModelView = z.infer<typeof agentModelView>;
export type PresetView = z.infer<typeof presetView>;
export type PresetToolView = z.infer<typeof presetToolView>;
export type RunSummaryView = z.infer<typeof runSummaryView>;
export type RunView = z.infer<typeof runView>;
