import type { HubWithKeyView } from '@luna/core/control';
import { useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { api } from './client.ts';

/** What the pages read, each under one key. */

export const keys = {
  status: ['status'],
  tools: ['tools'],
  hubs: ['hubs'],
  servers: ['servers'],
  services: ['services'],
  me: ['me'],
  pinnedTools: ['pinned-tools'],
  oauthClients: ['oauth-clients'],
  agents: ['agents'],
  presets: ['presets'],
  agentModels: ['agent-models'],
  agentKey: ['agent-key'],
  runs: ['runs'],
  schedules: ['schedules'],
  environment: ['environment-keys'],
  extensions: ['extensions'],
  queue: ['update-queue'],
  externalServices: ['external-services'],
} as const;

/** Memory and connected clients change without an event: who comes to a page that shows them has them asked for anew. */
const anew = { refetchOnMount: 'always' } as const;

export const useStatus = () => useQuery({ queryKey: keys.status, queryFn: api.status, ...anew });
export const useTools = () => useQuery({ queryKey: keys.tools, queryFn: api.tools });
export const useHubs = () =>
  useQuery({ queryKey: keys.hubs, queryFn: api.hubs, select: ({ servers }) => servers, ...anew });
export const useServers = () =>
  useQuery({ queryKey: keys.servers, queryFn: api.servers, select: ({ servers }) => servers });
export const useServices = () =>
  useQuery({ queryKey: keys.services, queryFn: api.services, select: ({ services }) => services, ...anew });
export const usePinnedTools = () =>
  useQuery({ queryKey: keys.pinnedTools, queryFn: api.pinnedTools, select: ({ pending }) => pending });
export const useMe = () => useQuery({ queryKey: keys.me, queryFn: api.me });
export const useOAuthClients = () =>
  useQuery({ queryKey: keys.oauthClients, queryFn: api.oauthClients, select: ({ clients }) => clients, ...anew });
/** Asked for anew when the hub has another address or key, which both stand in it. */
export const useHubClients = (hub: () => Pick<HubWithKeyView, 'name' | 'url' | 'apiKey'>) =>
  useQuery({
    queryKey: computed(() => ['hub-clients', hub().name, hub().url, hub().apiKey]),
    queryFn: () => api.hubClients(hub().name),
    select: ({ clients }) => clients,
  });
