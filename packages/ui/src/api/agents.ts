import type {
  AgentModelView,
  AgentView,
  PresetToolView,
  PresetView,
  RunSummaryView,
  RunView,
} from '@luna/core/control';
import { useInfiniteQuery, useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { ask } from './client.ts';
import { keys } from './queries.ts';

/** What is set of a preset; `null` takes a setting away. */
export interface PresetSettings {
  readonly name?: string;
  readonly base_agent?: string;
  readonly enabled?: boolean;
  readonly description?: string | null;
  readonly model?: string | null;
  readonly instructions?: string | null;
  readonly temperature?: number | null;
  readonly show_progress?: boolean;
  readonly limits?: Readonly<Record<string, number>> | null;
  /** `null` takes what is said of a tool out of the preset. */
  readonly tool_config?: Readonly<Record<string, { readonly enabled: boolean } | null>>;
}

/** Which runs are shown. */
export interface RunFilter {
  readonly agent?: string | undefined;
  readonly outcome?: RunSummaryView['outcome'] | undefined;
}

const root = '/api/supervisor/agents';
const presetPath = (name: string) => `${root}/presets/${encodeURIComponent(name)}`;
const runsAtATime = 50;

export const agentsApi = {
  agents: () => ask<{ agents: AgentView[] }>('GET', `${root}/built-in`),
  models: () => ask<{ models: AgentModelView[] }>('GET', `${root}/models`),
  presets: () => ask<{ presets: PresetView[] }>('GET', `${root}/presets`),
  presetTools: (name: string) => ask<{ tools: PresetToolView[] }>('GET', `${presetPath(name)}/tools`),
  createPreset: (settings: PresetSettings) => ask<PresetView>('POST', `${root}/presets`, settings),
  changePreset: (name: string, settings: PresetSettings) => ask<PresetView>('PATCH', presetPath(name), settings),
  deletePreset: (name: string) => ask<void>('DELETE', presetPath(name)),
  key: () => ask<{ apiKey: string }>('GET', `${root}/api-key`),
  regenerateKey: () => ask<{ apiKey: string }>('POST', `${root}/api-key/regenerate`),
  runs: ({ agent, outcome }: RunFilter, before?: number) => {
    const query = new URLSearchParams({ limit: String(runsAtATime) });
    if (agent) query.set('agent', agent);
    if (outcome) query.set('outcome', outcome);
    if (before !== undefined) query.set('before', String(before));
    return ask<{ runs: RunSummaryView[] }>('GET', `${root}/runs?${query}`);
  },
  run: (id: string) => ask<RunView>('GET', `${root}/runs/${encodeURIComponent(id)}`),
};

export const useAgents = () =>
  useQuery({ queryKey: keys.agents, queryFn: agentsApi.agents, select: ({ agents }) => agents });
export const usePresets = () =>
  useQuery({ queryKey: keys.presets, queryFn: agentsApi.presets, select: ({ presets }) => presets });
export const usePresetTools = (name: () => string | undefined) =>
  useQuery({
    queryKey: computed(() => [...keys.presets, 'tools', name()]),
    queryFn: () => agentsApi.presetTools(name() ?? ''),
    select: ({ tools }) => tools,
    enabled: computed(() => name() !== undefined),
  });
export const useAgentModels = () =>
  useQuery({ queryKey: keys.agentModels, queryFn: agentsApi.models, select: ({ models }) => models });
export const useAgentKey = () =>
  useQuery({ queryKey: keys.agentKey, queryFn: agentsApi.key, select: ({ apiKey }) => apiKey });

/** The latest runs first; older ones when more are asked for. */
export const useRuns = (filter: () => RunFilter) =>
  useInfiniteQuery({
    queryKey: computed(() => [...keys.runs, 'list', filter()]),
    queryFn: ({ pageParam }) => agentsApi.runs(filter(), pageParam),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ runs }) => (runs.length < runsAtATime ? undefined : runs.at(-1)?.startedAt),
    select: ({ pages }) => pages.flatMap(({ runs }) => runs),
    refetchOnMount: 'always',
  });

/** One run, once it has ended. Nothing is asked without an id. */
export const useRun = (id: () => string) =>
  useQuery({
    queryKey: computed(() => [...keys.runs, 'one', id()]),
    queryFn: () => agentsApi.run(id()),
    enabled: computed(() => id() !== ''),
  });
