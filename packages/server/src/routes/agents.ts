import { agentPresetConfig } from '@luna/core/config';
import {
  agentModelView,
  agentView,
  type Luna,
  presetToolView,
  presetView,
  runSummaryView,
  runView,
} from '@luna/core/control';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

const root = '/api/supervisor/agents';
const named = z.object({ name: z.string() });
const key = z.object({ apiKey: z.string().describe('AGENT_API_KEY. Secret.') });
const settings = agentPresetConfig.shape;
const newPreset = z.object({ name: z.string(), ...settings }).loose();
const presetChange = z.looseObject({
  name: z.string().optional(),
  base_agent: z.string().min(1).optional(),
  enabled: z.boolean().optional(),
  description: settings.description.nullable(),
  model: settings.model.nullable(),
  instructions: settings.instructions.nullable(),
  temperature: settings.temperature.nullable(),
  show_progress: z.boolean().optional(),
  limits: settings.limits.nullable(),
  tool_config: z
    .record(z.string(), z.looseObject({ enabled: z.boolean().optional() }).nullable())
    .optional()
    .describe('Merged tool by tool; null takes a setting away.'),
});

/** Agents, presets, the key that opens them, and what they have done. */
export function agentRoutes(luna: Luna): Route[] {
  const admin = luna.agentAdmin;
  const tag = 'agents';
  const access = 'admin';
  return [
    defineRoute({
      method: 'get',
      path: `${root}/built-in`,
      summary: 'The agents that presets can build on.',
      tag,
      access,
      answer: z.object({ agents: z.array(agentView) }),
      handle: () => ({ agents: admin.builtIn() }),
    }),
    defineRoute({
      method: 'get',
      path: `${root}/models`,
      summary: 'The models that are configured, the default first, and what is missing to ask them.',
      tag,
      access,
      answer: z.object({ models: z.array(agentModelView) }),
      handle: async () => ({ models: await admin.models() }),
    }),
    defineRoute({
      method: 'get',
      path: `${root}/presets`,
      summary: 'All presets.',
      tag,
      access,
      answer: z.object({ presets: z.array(presetView) }),
      handle: () => ({ presets: admin.presets() }),
    }),
    defineRoute({
      method: 'get',
      path: `${root}/presets/{name}`,
      summary: 'One preset.',
      tag,
      access,
      params: named,
      answer: presetView,
      handle: ({ params }) => admin.preset(params.name),
    }),
    defineRoute({
      method: 'get',
      path: `${root}/presets/{name}/tools`,
      summary: 'All tools, with whether the preset has them, and those that it names and that are gone.',
      tag,
      access,
      params: named,
      answer: z.object({ tools: z.array(presetToolView) }),
      handle: ({ params }) => ({ tools: admin.presetTools(params.name) }),
    }),
    defineRoute({
      method: 'post',
      path: `${root}/presets`,
      summary: 'Makes a preset.',
      tag,
      access,
      body: newPreset,
      answer: presetView,
      status: 201,
      handle: ({ body }) => admin.createPreset(body),
    }),
    defineRoute({
      method: 'patch',
      path: `${root}/presets/{name}`,
      summary: 'Changes a preset. What is not named stays.',
      tag,
      access,
      params: named,
      body: presetChange,
      answer: presetView,
      handle: ({ params, body }) => admin.changePreset(params.name, body),
    }),
    defineRoute({
      method: 'delete',
      path: `${root}/presets/{name}`,
      summary: 'Deletes a preset.',
      tag,
      access,
      params: named,
      handle: async ({ params }) => {
        await admin.deletePreset(params.name);
        return undefined;
      },
    }),
    defineRoute({
      method: 'get',
      path: `${root}/api-key`,
      summary: 'The key that opens the agents.',
      tag,
      access,
      answer: key,
      handle: async () => ({ apiKey: await admin.apiKey() }),
    }),
    defineRoute({
      method: 'post',
      path: `${root}/api-key/regenerate`,
      summary: 'Makes another key; the former one opens nothing any more.',
      tag,
      access,
      answer: key,
      handle: async () => ({ apiKey: await admin.regenerateApiKey() }),
    }),
    defineRoute({
      method: 'get',
      path: `${root}/runs`,
      summary: 'What agents have done, the latest first.',
      tag,
      access,
      query: z.object({
        agent: z.string().optional(),
        outcome: runSummaryView.shape.outcome.optional(),
        caller: z.string().optional().describe('The kind of caller: api, ui, schedule, …'),
        before: z.coerce.number().optional().describe('Runs that began before, in milliseconds since the epoch.'),
        limit: z.coerce.number().int().min(1).max(500).optional(),
      }),
      answer: z.object({ runs: z.array(runSummaryView) }),
      handle: async ({ query: { caller, ...filter } }) => ({
        runs: await admin.runs({ ...filter, callerKind: caller }),
      }),
    }),
    defineRoute({
      method: 'get',
      path: `${root}/runs/{id}`,
      summary: 'One run with its steps.',
      tag,
      access,
      params: z.object({ id: z.string() }),
      answer: runView,
      handle: ({ params }) => admin.run(params.id),
    }),
  ];
}
