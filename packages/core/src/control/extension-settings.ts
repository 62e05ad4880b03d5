import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { editJsonText, jsonValueOf, type MasterConfig, writeFileDurably } from '../config/index.ts';
import { systemCodeOf } from '../errors/index.ts';
import { foldersIn, readManifest, readToolConfig } from '../sources/index.ts';

/** The tools that an extension has now, by the names that settings may use. */
export type ToolsOf = (extension: string) => readonly {
  readonly name: string;
  readonly qualifiedName: string;
  readonly tool: { readonly name: string };
}[];

/**
 * Writes settings of extensions back to their own files, where those say something else: `enabled` and `source` to
 * `config.json`, switches of tools to `tools/tool_config.json`. All else in these files stays as it is; a `config.json`
 * without a version gets the day as one. A file that cannot be read is left alone: the source reports it.
 */
export async function writeExtensionSettings(config: MasterConfig, parent: string, toolsOf: ToolsOf): Promise<void> {
  for (const name of await foldersIn(parent)) {
    const folder = join(parent, name);
    try {
      await writeManifest(config, name, folder);
      await writeToolConfig(config, folder, toolsOf(name));
    } catch {
      // A broken file, or a folder of another user's: nothing of it is needed here, and the source says what is wrong.
    }
  }
}

async function writeManifest(config: MasterConfig, name: string, folder: string): Promise<void> {
  const entry = config.extensions[name];
  if (!entry) return;
  const manifest = await readManifest(folder);
  const source = entry.source ?? 'local';
  if (manifest.enabled === entry.enabled && (manifest.source ?? 'local') === source) return;
  await edit(join(folder, 'config.json'), (document) => ({
    ...document,
    version: document.version ?? new Date().toISOString().slice(0, 10),
    enabled: entry.enabled,
    ...(manifest.source !== undefined || source !== 'local' ? { source } : {}),
  }));
}

async function writeToolConfig(config: MasterConfig, folder: string, tools: ReturnType<ToolsOf>): Promise<void> {
  const written = await readToolConfig(folder);
  const changes: Record<string, Record<string, boolean>> = {};
  // By the name that the extension gives; a setting under the qualified name wins.
  const settings = new Map(Object.keys(written).map((name) => [name, config.tool_configs[name]]));
  for (const { name, qualifiedName, tool } of tools)
    settings.set(tool.name, config.tool_configs[qualifiedName] ?? config.tool_configs[name]);
  for (const [tool, setting] of settings) {
    for (const key of ['enabled_in_mcp', 'passthrough'] as const) {
      const value = setting?.[key];
      if (value !== undefined && written[tool]?.[key] !== value) changes[tool] = { ...changes[tool], [key]: value };
    }
  }
  if (Object.keys(changes).length === 0) return;
  await edit(join(folder, 'tools', 'tool_config.json'), (document) => ({
    ...document,
    ...Object.fromEntries(Object.entries(changes).map(([tool, change]) => [tool, { ...written[tool], ...change }])),
  }));
}

async function edit(file: string, change: (document: Record<string, unknown>) => unknown): Promise<void> {
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    if (systemCodeOf(thrown) === 'ENOENT') return '{}\n';
    throw thrown;
  });
  const document = jsonValueOf(text) as Record<string, unknown>;
  const edited = editJsonText(text, document, change(document));
  if (edited !== text) await writeFileDurably(file, edited, 0o644);
}
