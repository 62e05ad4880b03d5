import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { parseJsonText } from '../../config/index.ts';
import { LunaError, systemCodeOf } from '../../errors/index.ts';

/** How Luna asks whether a program is well. */
const healthCheck = z.union([
  z.literal(false).describe('It is well while it runs.'),
  z.string().startsWith('/').describe('A path that answers below 400.'),
  z.looseObject({ path: z.string().startsWith('/') }),
  z.looseObject({ command: z.array(z.string()).min(1) }).describe('A program that ends with exit code 0.'),
]);

export type ExtensionHealthCheck = z.infer<typeof healthCheck>;

/** `config.json` of an extension. Everything has a default: a folder with a tools file is an extension already. */
export const extensionManifestSchema = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  description: z.string().optional(),
  required_secrets: z
    .array(z.string())
    .default([])
    .describe('Environment keys that its tools get, and cannot do without.'),
  optional_secrets: z
    .array(z.string())
    .default([])
    .describe('Environment keys that its tools get where they are set. They get no others.'),
  enabled: z.boolean().default(true),
  source: z.string().optional(),
  auto_update: z.boolean().default(false),
  ui: z
    .looseObject({
      enforce_trailing_slash: z.boolean().default(true).describe('Whether /ext/<name> leads on to /ext/<name>/.'),
      strip_prefix: z.boolean().default(true).describe('Whether the UI gets paths without /ext/<name>.'),
      health_check: healthCheck.optional().describe('Default: whether the port takes connections.'),
    })
    .optional()
    .describe('How the program of ui/start.sh is served.'),
});

/** `services/<service>/service_config.json` of an extension. Everything has a default. */
export const extensionServiceSchema = z.looseObject({
  name: z.string().optional(),
  description: z.string().optional(),
  requires_port: z.boolean().default(true).describe('Whether start.sh gets a port, as its first argument.'),
  health_check: healthCheck.optional().describe('Default: whether the port takes connections, where it has one.'),
  health_check_interval_seconds: z.number().positive().default(30),
  restart_on_failure: z.boolean().default(true),
  default: z.boolean().optional().describe('Whether it answers at /api/<extension>/ where there are several.'),
  strip_prefix: z.boolean().default(true).describe('Whether it gets paths without /api/<extension>.'),
});

/** `tools/tool_config.json`: settings that an extension brings for its tools, by tool name. */
const toolConfigSchema = z.record(
  z.string(),
  z.looseObject({ enabled_in_mcp: z.boolean().optional(), passthrough: z.boolean().optional() }),
);

export type ExtensionManifest = z.infer<typeof extensionManifestSchema>;
export type ExtensionServiceConfig = z.infer<typeof extensionServiceSchema>;
export type ExtensionToolConfig = z.infer<typeof toolConfigSchema>;

/** The environment keys that an extension gets. */
export function secretsOf(manifest: Pick<ExtensionManifest, 'required_secrets' | 'optional_secrets'>): string[] {
  return [...new Set([...manifest.required_secrets, ...manifest.optional_secrets])];
}

/** Reads `config.json` of an extension folder. Throws `config_invalid` with file, line and column. */
export async function readManifest(folder: string): Promise<ExtensionManifest> {
  return readJson(join(folder, 'config.json'), extensionManifestSchema);
}

/** Reads the `service_config.json` of a folder under `services/`. Throws `config_invalid` with file, line and column. */
export async function readServiceConfig(folder: string): Promise<ExtensionServiceConfig> {
  return readJson(join(folder, 'service_config.json'), extensionServiceSchema);
}

/** Reads `tools/tool_config.json` of an extension folder; empty when there is none. */
export async function readToolConfig(folder: string): Promise<ExtensionToolConfig> {
  return readJson(join(folder, 'tools', 'tool_config.json'), toolConfigSchema);
}

/** The tool files of an extension, `tools/*_tools.{ts,js,mjs}` or `.py`, in order of name. */
export async function findToolFiles(
  folder: string,
  language: 'javascript' | 'python' = 'javascript',
): Promise<string[]> {
  const names = await readdir(join(folder, 'tools')).catch((thrown: unknown) => {
    if (systemCodeOf(thrown) === 'ENOENT') return [];
    throw new LunaError('extension_invalid', `Cannot read the tools of ${basename(folder)}.`, { cause: thrown });
  });
  return names
    .filter((name) => (language === 'python' ? /_tools\.py$/ : /_tools\.(?:ts|js|mjs)$/).test(name))
    .sort()
    .map((name) => join(folder, 'tools', name));
}

async function readJson<Schema extends z.ZodType>(file: string, schema: Schema): Promise<z.infer<Schema>> {
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    if (systemCodeOf(thrown) === 'ENOENT') return '{}';
    throw thrown;
  });
  return parseJsonText(text, schema, file);
}
