import { join } from 'node:path';
import {
  type ConfigStore,
  type EnvFile,
  type HomePaths,
  hubKeyName,
  type MasterConfig,
  mainHubName,
} from '../config/index.ts';
import {
  type ExtensionManifest,
  type ExtensionToolConfig,
  foldersIn,
  readManifest,
  readToolConfig,
} from '../sources/index.ts';
import { type ToolsOf, writeExtensionSettings } from './extension-settings.ts';
import { makeKey } from './keys.ts';

/**
 * Completes the configuration by what is there: extension folders that it does not know get an entry (with the tool
 * settings that they bring), a first hub is made, and hubs without a key get one. Keys of hubs are mirrored to `.env`,
 * except those of which only a hash is kept. What differs in the files of an extension is written back to them.
 */
export async function syncConfig(
  store: ConfigStore,
  env: EnvFile,
  paths: HomePaths,
  { version, toolsOf }: { version: string; toolsOf: ToolsOf },
): Promise<void> {
  const discovered = await discover(store.config, paths.extensions);
  const values = await env.read();
  const mirror: Record<string, string | undefined> = {};
  const complete = (config: MasterConfig) => {
    config.luna.version = version;
    for (const { name, manifest, tools } of discovered) {
      config.extensions[name] ??= { enabled: manifest.enabled, source: manifest.source ?? 'local' };
      for (const [tool, settings] of Object.entries(tools))
        if (!Object.hasOwn(config.tool_configs, tool)) config.tool_configs[tool] = settings;
    }
    if (Object.keys(config.mcp_servers).every((name) => name === mainHubName))
      config.mcp_servers.default = { enabled: true, tool_config: {} };
    config.mcp_servers[mainHubName] ??= { enabled: true, tool_config: {} };
    for (const [name, hub] of Object.entries(config.mcp_servers)) {
      if (name === mainHubName) continue;
      if (hub.api_key_hash !== undefined) {
        if (hubKeyName(name) in values) mirror[hubKeyName(name)] = undefined;
        continue;
      }
      // A file of "luna export" that somebody copied here: the name of a key in braces opens nothing.
      const [, named] = keyMark.exec(hub.api_key ?? '') ?? [];
      if (named !== undefined) delete hub.api_key;
      const kept = values[named ?? hubKeyName(name)];
      hub.api_key ??= kept && !keyMark.test(kept) ? kept : makeKey('luna-hub-');
      if (values[hubKeyName(name)] !== hub.api_key) mirror[hubKeyName(name)] = hub.api_key;
    }
  };
  await store.update(complete);
  await writeExtensionSettings(store.config, paths.extensions, toolsOf);
  if (Object.keys(mirror).length > 0) await env.set(mirror);
}

const keyMark = /^\$\{([A-Za-z_]\w*)\}$/;

interface Discovered {
  readonly name: string;
  readonly manifest: Pick<ExtensionManifest, 'enabled' | 'source'>;
  readonly tools: ExtensionToolConfig;
}

async function discover(config: MasterConfig, parent: string): Promise<Discovered[]> {
  const unknown = (await foldersIn(parent)).filter((name) => !(name in config.extensions));
  return Promise.all(
    unknown.map(async (name) => {
      const folder = join(parent, name);
      try {
        return { name, manifest: await readManifest(folder), tools: await readToolConfig(folder) };
      } catch {
        // A file that is broken or still being written: the source reports it, with file and line.
        return { name, manifest: { enabled: true }, tools: {} };
      }
    }),
  );
}
