import type { AvailableExternalServiceView, ExternalServiceDetailView, ExternalServiceView } from '@luna/core/services';
import { useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { ask } from './client.ts';
import { keys } from './queries.ts';

const root = '/api/external-services';
const pathOf = (name: string) => `${root}/${encodeURIComponent(name)}`;

export type ExternalServiceVerb = 'start' | 'stop' | 'restart' | 'enable' | 'disable';

export interface ServiceInstall {
  readonly config: Record<string, string | number | boolean>;
  readonly overwrite_env: boolean;
}

/** Databases and the like, which Luna installs and keeps running beside itself. */
export const externalServiceApi = {
  /** Begins an install; what becomes of it is told by events, and by its log. */
  install: (name: string, install: ServiceInstall) =>
    ask<ExternalServiceDetailView>('POST', `${pathOf(name)}/install`, install),
  uninstall: (name: string, how: { delete_data: boolean; force: boolean }) =>
    ask<void>('POST', `${pathOf(name)}/uninstall`, how),
  change: (name: string, verb: ExternalServiceVerb) => ask<ExternalServiceView>('POST', `${pathOf(name)}/${verb}`),
  /** Adds a definition: the bytes of a service.json, or of a zip file with one. */
  upload: (file: Blob) => ask<ExternalServiceDetailView>('POST', `${root}/upload`, file),
};

export const logOfExternalService = (name: string) => `${pathOf(name)}/logs`;

export const useInstalledServices = () =>
  useQuery({
    queryKey: [...keys.externalServices, 'installed'],
    queryFn: () => ask<{ services: ExternalServiceView[] }>('GET', `${root}/installed`),
    select: ({ services }) => services,
    refetchOnMount: 'always',
  });

export const useAvailableServices = () =>
  useQuery({
    queryKey: [...keys.externalServices, 'available'],
    queryFn: () => ask<{ services: AvailableExternalServiceView[] }>('GET', `${root}/available`),
    select: ({ services }) => services,
    refetchOnMount: 'always',
  });

export const useExternalService = (name: () => string) =>
  useQuery({
    queryKey: computed(() => [...keys.externalServices, 'one', name()]),
    queryFn: () => ask<ExternalServiceDetailView>('GET', pathOf(name())),
    refetchOnMount: 'always',
  });
