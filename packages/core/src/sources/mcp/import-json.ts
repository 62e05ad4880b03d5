import { z } from 'zod';
import { type RemoteServerConfig, sourceName } from '../../config/index.ts';
import { LunaError } from '../../errors/index.ts';
import { asksForKeysOfLuna, inputsSchema, neededKeys, type Translate, translator } from './import-references.ts';

/** VS Code takes numbers too, and null for a variable that is taken away. */
const values = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .transform((record) =>
    Object.fromEntries(
      Object.entries(record).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)]])),
    ),
  );

/** One server of an `mcpServers` document, as Claude Desktop, Claude Code, Cursor and VS Code write it. */
const entrySchema = z.looseObject({
  type: z.string().optional(),
  transport: z.string().optional(),
  transportType: z.string().optional(),
  url: z.string().optional(),
  serverUrl: z.string().optional(),
  httpUrl: z.string().optional(),
  headers: values.optional(),
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: values.optional(),
  envFile: z.string().optional(),
  cwd: z.string().optional(),
  disabled: z.boolean().optional(),
  enabled: z.boolean().optional(),
  /** A client that was registered by hand: as Claude Code writes it, and as Cursor does. */
  oauth: z.looseObject({ clientId: z.string().optional(), scopes: z.string().optional() }).optional().catch(undefined),
  auth: z
    .looseObject({
      CLIENT_ID: z.string().optional(),
      CLIENT_SECRET: z.string().optional(),
      scopes: z.array(z.string()).optional(),
    })
    .optional()
    .catch(undefined),
});

type Entry = z.infer<typeof entrySchema>;

const servers = z.record(z.string(), z.unknown());
const looksLikeServer = z.union([
  z.looseObject({ command: z.string() }),
  z.looseObject({ url: z.string() }),
  z.looseObject({ serverUrl: z.string() }),
]);

const documentSchema = z.union([
  z
    .looseObject({ mcpServers: servers, inputs: inputsSchema })
    .transform((document) => ({ servers: document.mcpServers, inputs: document.inputs })),
  // VS Code names the key "servers".
  z.looseObject({ servers, inputs: inputsSchema }).transform(({ servers, inputs }) => ({ servers, inputs })),
  z.looseObject({ mcp: z.looseObject({ servers, inputs: inputsSchema }) }).transform(({ mcp }) => mcp),
  // People copy the inner part only.
  z
    .record(z.string(), looksLikeServer)
    .refine((bare) => Object.keys(bare).length > 0)
    .transform((bare) => ({ servers: bare, inputs: undefined })),
]);

/** What an import found: servers by id, and those that could not be taken over, with the reason. */
export interface ImportedServers {
  readonly servers: Readonly<Record<string, Partial<RemoteServerConfig>>>;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** The environment keys that each server needs, by its id. Servers that need none are left out. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
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
  const translate = translator(parsed.data.inputs);
  const found = new Map<string, Partial<RemoteServerConfig>>();
  const skipped: { name: string; reason: string }[] = [];
  for (const [name, entry] of Object.entries(parsed.data.servers)) {
    const id = idOf(name);
    if (!sourceName.safeParse(id).success) skipped.push({ name, reason: 'its name has no letter or digit' });
    else if (found.has(id)) skipped.push({ name, reason: `another server became "${id}" already` });
    else {
      const server = serverOf(entry, translate);
      if (typeof server === 'string') skipped.push({ name, reason: server });
      else found.set(id, id === name ? server : { ...server, title: name });
    }
  }
  const needs = [...found].map(([id, server]) => [id, neededKeys(textsOf(server))] as const);
  return {
    servers: Object.fromEntries(found),
    skipped,
    needs: Object.fromEntries(needs.filter(([, keys]) => keys.length > 0)),
  };
}

/** A legal id made of any name: `My Server!` becomes `My-Server`. */
export function idOf(name: string): string {
  return name
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, 64);
}

/** The settings of a server, or why it cannot be taken over. */
function serverOf(value: unknown, translate: Translate): Partial<RemoteServerConfig> | string {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `it does not have the form of a server: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(': ')}`;
  }
  const entry = parsed.data;
  const enabled = entry.disabled !== true && entry.enabled !== false;
  const url = entry.url ?? entry.serverUrl ?? entry.httpUrl;
  const server = url === undefined ? commandOf(entry, translate) : remoteOf(entry, url, translate);
  if (typeof server === 'string') return server;
  if (asksForKeysOfLuna(textsOf(server))) return 'it asks for a key of Luna itself';
  return { enabled, ...server };
}

function remoteOf(entry: Entry, address: string, translate: Translate): Partial<RemoteServerConfig> | string {
  const url = withDefaults(translate(address));
  if (url.includes('${')) return `its address "${url}" holds a reference, which only headers may: write it out`;
  if (!URL.canParse(url) || !/^https?:/.test(url)) return `its address "${url}" is not an http(s) URL`;
  const sse = [entry.type, entry.transport, entry.transportType].includes('sse');
  const oauth = oauthOf(entry, translate);
  return {
    url,
    ...(sse && { transport: 'sse' as const }),
    ...(entry.headers && { headers: translated(entry.headers, translate) }),
    ...(oauth && { oauth }),
  };
}

function commandOf(entry: Entry, translate: Translate): Partial<RemoteServerConfig> | string {
  if (entry.command === undefined || entry.command === '') return 'it has neither "url" nor "command"';
  const command = withDefaults(translate(entry.command));
  if (command.includes('${')) return `its command "${command}" holds a reference: write it out`;
  return {
    command,
    ...(entry.args && { args: entry.args.map(translate) }),
    ...(entry.env && { env: translated(entry.env, translate) }),
    ...(entry.envFile !== undefined && { env_file: translate(entry.envFile) }),
    ...(entry.cwd !== undefined && { cwd: translate(entry.cwd) }),
  };
}

function oauthOf({ oauth, auth }: Entry, translate: Translate): RemoteServerConfig['oauth'] {
  const client_id = oauth?.clientId ?? auth?.CLIENT_ID;
  const scope = oauth?.scopes ?? auth?.scopes?.join(' ');
  if (client_id === undefined && scope === undefined) return undefined;
  return {
    ...(client_id !== undefined && { client_id: translate(client_id) }),
    ...(auth?.CLIENT_SECRET !== undefined && { client_secret: translate(auth.CLIENT_SECRET) }),
    ...(scope !== undefined && { scope }),
  };
}

/** An address and a command are fixed when Luna reads them: only what a document falls back on can stand there. */
function withDefaults(text: string): string {
  return text.replace(/\$\{[A-Za-z_][A-Za-z0-9_]*:-([^}]*)\}/g, '$1');
}

function translated(record: Record<string, string>, translate: Translate): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, translate(value)]));
}

/** All texts of a server in which references are read. */
function textsOf(server: Partial<RemoteServerConfig>): string[] {
  const { args = [], env = {}, headers = {}, oauth } = server;
  const clients = [oauth?.client_id, oauth?.client_secret].filter((text) => text !== undefined);
  return [...args, ...Object.values(env), ...Object.values(headers), ...clients];
}
