import type { ExtensionDetailView, ExtensionView } from '@luna/core/control';
import type { InspectionView } from '@luna/core/updates';
import { useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { ask } from './client.ts';
import { keys } from './queries.ts';

const root = '/api/supervisor/extensions';
const pathOf = (name: string) => `${root}/${encodeURIComponent(name)}`;

export const extensionApi = {
  /** Fetches a source and shows what it brings. Nothing of it is run. An aborted one is not fetched on. */
  inspect: (source: string, name: string | undefined, signal?: AbortSignal) =>
    ask<InspectionView>('POST', `${root}/inspect`, { source, ...(name !== undefined && { name }) }, signal),
  /** Hands over a zip file; the answer names it as a source. */
  upload: (file: File, signal?: AbortSignal) =>
    ask<{ source: string }>(
      'POST',
      `${root}/upload?name=${encodeURIComponent(file.name.slice(-200))}`,
      new Blob([file], { type: 'application/zip' }),
      signal,
    ),
  /** Brings the version before back. */
  rollback: (name: string) => ask<ExtensionDetailView & { note?: string }>('POST', `${pathOf(name)}/rollback`),
};

export const useExtensions = () =>
  useQuery({
    queryKey: [...keys.extensions, 'list'],
    queryFn: () => ask<{ extensions: ExtensionView[] }>('GET', root),
    select: ({ extensions }) => extensions,
    refetchOnMount: 'always',
  });

export const useExtension = (name: () => string) =>
  useQuery({
    queryKey: computed(() => [...keys.extensions, 'one', name()]),
    queryFn: () => ask<ExtensionDetailView>('GET', pathOf(name())),
    refetchOnMount: 'always',
  });
