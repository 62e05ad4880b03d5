import type { ExtensionView } from '@luna/core/control';
import { onScopeDispose, ref } from 'vue';
import { isRemoteSource } from '../extension-source.ts';
import { extensionApi } from './extensions.ts';
import { messageOf } from './message-of.ts';

/** What was found at the source of an extension. */
export interface FoundUpdate {
  readonly state: 'same' | 'other' | 'unknown';
  /** The version that is there, or why it could not be looked at. */
  readonly text: string;
}

/** Looks, one after another, whether the sources of extensions have something else than what is installed. */
export function useUpdateCheck() {
  const found = ref<Readonly<Record<string, FoundUpdate>>>({});
  const looking = ref(false);
  const leaving = new AbortController();
  onScopeDispose(() => leaving.abort());

  async function look(extensions: readonly ExtensionView[]): Promise<void> {
    looking.value = true;
    found.value = {};
    for (const { name, source } of extensions) {
      if (leaving.signal.aborted) return;
      if (!isRemoteSource(source)) continue;
      found.value = { ...found.value, [name]: await lookAt(name, source, leaving.signal) };
    }
    looking.value = false;
  }

  /** What was found of it is not true any more. */
  function forget(name: string): void {
    const { [name]: _gone, ...others } = found.value;
    found.value = others;
  }
  return { found, looking, look, forget };
}

async function lookAt(name: string, source: string, signal: AbortSignal): Promise<FoundUpdate> {
  try {
    const { installed, version } = await extensionApi.inspect(source, name, signal);
    if (installed?.isSame) return { state: 'same', text: 'It is up to date.' };
    const isOther = version !== undefined && version !== installed?.version;
    return { state: 'other', text: isOther ? `There is ${version}.` : 'There is a change.' };
  } catch (thrown) {
    return { state: 'unknown', text: messageOf(thrown) };
  }
}
