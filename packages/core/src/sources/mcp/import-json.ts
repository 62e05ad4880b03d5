import { z } from 'zod';
import { type RemoteServerConfig, sourceName } from '../../config/index.ts';
import { LunaError } from '../../errors/index.ts';

/** One server of an `mcpServers` document, as Claude Desktop, Claude Code, Cursor and VS Code write it. */
const entrySchema = z.looseObject({
  type: z.string().optional(),
  transport: z.string().optional(),
  url: z.string().optional(),
  serverUrl: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  cwd: z.string().optional(),
  disabled: z.boolean().optional(),
});

const documentSchema = z.union([
  z.looseObject({ mcpServers: z.record(z.string(), entrySchema) }).transform((document) => document.mcpServers),
  // VS Code names the key "servers".
  z.looseObject({ servers: z.record(z.string(), entrySchema) }).transform((document) => document.servers),
  z
    .looseObject({ mcp: z.looseObject({ servers: z.record(z.string(), entrySchema) }) })
    .transform((document) => document.mcp.servers),
]);

/** What an import found: servers by id, and those that could not be taken over, with the reason. */
export interface ImportedServers {
  readonly servers: Readonly<Record<string, Partial<RemoteServerConfig>>>;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** Reads an `mcpServers` document. Throws `invalid_input` when it is none. */
export function importMcpServers(document: unknown): ImportedServers {
  const parsed = documentSchema.safeParse(document);
  if (!parsed.success) {
    throw new LunaError(
      'invalid_input',
      'This is not a list of MCP servers: expected an object with "mcpServers" (or "servers", as VS Code writes it).',
    );
  }
  const servers: Record<string, Partial<RemoteServerConfig>> = {};
  const skipped: { name: string; reason: string }[] = [];
  for (const [name, entry] of Object.entries(parsed.data)) {
    const id = idOf(name);
    if (!sourceName.safeParse(id).success) skipped.push({ name, reason: 'its name has no letter or digit' });
    else if (Object.hasOwn(servers, id)) skipped.push({ name, reason: `another server became "${id}" already` });
    else {
      const server = serverOf(entry);
      if (typeof server === 'string') skipped.push({ name, reason: server });
      else servers[id] = id === name ? server : { ...server, title: name };
    }
  }
  return { servers, skipped };
}

/** A legal id made of any name: `My Server!` becomes `My-Server`. */
export function idOf(name: string): string {
  return name
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, 64);
}

function serverOf(entry: z.infer<typeof entrySchema>): Partial<RemoteServerConfig> | string {
  const enabled = entry.disabled !== true;
  const url = entry.url ?? entry.serverUrl;
  if (url !== undefined) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) return `its address "${url}" is not an http(s) URL`;
    const sse = (entry.type ?? entry.transport) === 'sse';
    return {
      enabled,
      url,
      ...(sse && { transport: 'sse' as const }),
      ...(entry.headers && { headers: withReferences(entry.headers) }),
    };
  }
  if (entry.command === undefined || entry.command === '') return 'it has neither "url" nor "command"';
  return {
    enabled,
    command: entry.command,
    ...(entry.args && { args: entry.args.map(reference) }),
    ...(entry.env && { env: withReferences(entry.env) }),
    ...(entry.cwd !== undefined && { cwd: entry.cwd }),
  };
}

function withReferences(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, reference(value)]));
}

/** `${env:NAME}` of VS Code and Cursor is `${NAME}` here. */
function reference(text: string): string {
  return text.replace(/\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g, '${$1}');
}
