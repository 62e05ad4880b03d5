import { useQuery } from '@tanstack/vue-query';
import { api } from './client.ts';

/** What the pages read, each under one key. */

export const keys = { status: ['status'], tools: ['tools'], hubs: ['hubs'], servers: ['servers'] } as const;

export const useStatus = () => useQuery({ queryKey: keys.status, queryFn: api.status });
export const useTools = () => useQuery({ queryKey: keys.tools, queryFn: api.tools });
export const useHubs = () => useQuery({ queryKey: keys.hubs, queryFn: api.hubs, select: ({ servers }) => servers });
export const useServers = () =>
  useQuery({ queryKey: keys.servers, queryFn: api.servers, select: ({ servers }) => servers });
