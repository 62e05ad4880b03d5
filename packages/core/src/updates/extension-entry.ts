import type { ConfigStore, ExtensionConfig, MasterConfig } from '../config/index.ts';
import { readManifest, readToolConfig } from '../sources/index.ts';

/** What an extension has in master_config.json, while it comes and goes. */

/** Gives an extension that came its entry, and the settings that it brings for tools that have none. */
export async function enterExtension(
  config: ConfigStore,
  name: string,
  folder: string,
  from: Pick<ExtensionConfig, 'source' | 'digest'>,
): Promise<void> {
  const manifest = await readManifest(folder);
  const tools = await readToolConfig(folder);
  await config.update((draft) => {
    const former = entryOf(draft, name);
    draft.extensions[name] = { ...former, enabled: former?.enabled ?? manifest.enabled, ...from };
    for (const [tool, settings] of Object.entries(tools)) draft.tool_configs[tool] ??= settings;
  });
}

/** Makes the entry what it was; without one, takes it away. */
export async function restoreEntry(config: ConfigStore, name: string, entry?: ExtensionConfig): Promise<void> {
  await config.update((draft) => {
    if (entry) draft.extensions[name] = entry;
    else delete draft.extensions[name];
  });
}

export function entryOf(config: MasterConfig, name: string): ExtensionConfig | undefined {
  return Object.hasOwn(config.extensions, name) ? config.extensions[name] : undefined;
}
