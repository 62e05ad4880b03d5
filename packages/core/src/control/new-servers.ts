import { masterConfigSchema, type RemoteServerConfig, sourceName } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { idOf, isLiterallyInside } from '../sources/index.ts';

/** How a server comes into the configuration: its id, its settings, and what whoever adds it is told. */

/** Settings of a server to add, with the id it should have. */
export type NewServer = Partial<RemoteServerConfig> & { readonly id?: string };

/** The id of a server that is added: the one that it should have, or one that suits it. Throws `invalid_input`, `conflict`. */
export function newServerId({ id: wantedId, ...server }: NewServer, taken: ReadonlySet<string>): string {
  const id = wantedId === undefined ? freeId(suggestedId(server), taken) : wantedId;
  if (!sourceName.safeParse(id).success)
    throw new LunaError(
      'invalid_input',
      `"${id}" cannot be the id of a server: use letters, digits, ".", "_" and "-".`,
    );
  if (taken.has(id)) throw new LunaError('conflict', `There is a source named "${id}" already.`);
  return id;
}

/** The settings of a server that is added, with all defaults. Throws `invalid_input`. */
export function newServerSettings(id: string, server: Partial<RemoteServerConfig>): RemoteServerConfig {
  const parsed = masterConfigSchema.safeParse({ remote_mcp_servers: { [id]: { ...server, ...leaveFor(server) } } });
  const issue = parsed.error?.issues[0];
  const result = parsed.data?.remote_mcp_servers[id];
  if (issue || !result) {
    const path = issue?.path.slice(2).join('.') ?? '';
    throw new LunaError(
      'invalid_input',
      `The server "${id}" cannot be added: ${path}${path && ': '}${issue?.message ?? 'not legal'}.`,
    );
  }
  return result;
}

/** What of a server that was added is worth a word. */
export function notesOf(id: string, server: RemoteServerConfig | undefined): string[] {
  if (!server?.allow_private_network || !leaveFor({ url: server.url }).allow_private_network) return [];
  return [
    `The address of "${id}" lies inside your network. It was given leave to lead there: "allow_private_network": true in master_config.json.`,
  ];
}

/** Who adds a server by an address inside means to go there. */
function leaveFor({ url, allow_private_network }: Partial<RemoteServerConfig>): Partial<RemoteServerConfig> {
  const inside = url !== undefined && URL.canParse(url) && isLiterallyInside(new URL(url).hostname);
  return inside && allow_private_network === undefined ? { allow_private_network: true } : {};
}

/** A name from the URL's host, or from the command or the package that it runs. */
function suggestedId({ url, command, args }: Partial<RemoteServerConfig>): string {
  if (url !== undefined && URL.canParse(url))
    return idOf(new URL(url).hostname.replace(/^(www|mcp|api)\./, '')) || 'server';
  const launched = /^(npx|uvx|node|python3?|deno|bunx?)$/.test(command ?? '')
    ? args?.find((arg) => !arg.startsWith('-'))
    : command;
  return idOf((launched ?? 'server').split('/').at(-1) ?? 'server') || 'server';
}

/** The id, or with a number behind it the first one that is not taken. */
function freeId(id: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? id : `${id}-${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}
