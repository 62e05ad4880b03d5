import type { ConfigStore, EnvFile, HomePaths } from '../config/index.ts';
import type { ToolRegistry } from '../tools/index.ts';
import { type LoadedState, Updates, type UpdatesOptions } from '../updates/index.ts';
import type { LunaEvent } from './views.ts';

export interface UpdatesContext
  extends Pick<
    UpdatesOptions,
    'owner' | 'egress' | 'exclusively' | 'installExternalService' | 'updateCore' | 'judgeCoreUpdate' | 'onLog'
  > {
  readonly paths: HomePaths;
  readonly config: ConfigStore;
  readonly env: EnvFile;
  readonly registry: ToolRegistry;
  /** Has an extension loaded as its files are now, and waits for that. */
  readonly reload: (name: string) => Promise<void>;
  readonly onEvent: (event: LunaEvent) => void;
}

/** The updates of a Luna that runs. */
export function openUpdates({ paths, config, env, registry, reload, onEvent, ...rest }: UpdatesContext): Updates {
  const state = (name: string) => stateOf(registry, name);
  return new Updates({
    ...rest,
    config,
    extensions: paths.extensions,
    generated: paths.generated,
    secrets: async () => Object.keys(await env.read()),
    state,
    load: async (name) => {
      await reload(name);
      return state(name);
    },
    onChange: () => onEvent({ type: 'queue.changed' }),
    onProgress: (progress) => onEvent({ type: 'queue.progress', ...progress }),
  });
}

function stateOf(registry: ToolRegistry, name: string): LoadedState {
  const source = registry.source(name);
  if (source?.kind !== 'extension') return { status: 'absent' };
  const { status, reason } = source.health();
  if (status === 'ready') return { status: 'ready' };
  return { status: 'broken', reason: reason ?? (status === 'starting' ? 'it does not come to an end' : status) };
}
