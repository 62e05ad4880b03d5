import type { EnvironmentKeyView, MergedKeysView, RequiredKeyView } from '@luna/core/control';
import { useQuery } from '@tanstack/vue-query';
import { ask } from './client.ts';
import { keys } from './queries.ts';

const root = '/api/supervisor/keys';

/** The keys of `.env`. Values go in, and never come back. */
export const environmentApi = {
  set: (name: string, value: string) => ask<void>('POST', `${root}/set`, { name, value }),
  delete: (name: string) => ask<void>('POST', `${root}/delete`, { name }),
  /** Takes over all keys of the text of an .env file, or none. */
  merge: (text: string) => ask<MergedKeysView>('POST', `${root}/upload-env`, { text }),
};

export const useEnvironmentKeys = () =>
  useQuery({
    queryKey: [...keys.environment, 'list'],
    queryFn: () => ask<{ keys: EnvironmentKeyView[] }>('GET', `${root}/list`),
    select: (answer) => answer.keys,
    refetchOnMount: 'always',
  });

/** What sources cannot do without, those that are missing first. */
export const useRequiredKeys = () =>
  useQuery({
    queryKey: [...keys.environment, 'required'],
    queryFn: () => ask<{ keys: RequiredKeyView[] }>('GET', `${root}/required`),
    select: (answer) => answer.keys,
    refetchOnMount: 'always',
  });
