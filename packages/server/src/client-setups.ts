import { fileURLToPath } from 'node:url';
import { mainHubName } from '@luna/core/config';
import type { ClientSetupView, HubWithKeyView } from '@luna/core/views';

type Hub = Pick<HubWithKeyView, 'name' | 'url' | 'apiKey'>;

/** People let clients in to this one, which find out by themselves how to ask for it. */
const isMain = (hub: Hub) => hub.name === mainHubName;

/**
 * How the common MCP clients are connected to a hub: what to copy, where to, and links that do it at a click. They hold
 * the key of the hub, except where the client starts `luna mcp`, which takes it from the home.
 */
export function clientSetups(hub: Hub, home: string): ClientSetupView[] {
  const name = nameOf(hub);
  const http = { type: 'http', url: hub.url, ...headersFor(hub) };
  const forCursor = { url: hub.url, ...headersFor(hub) };
  return [
    {
      client: 'claude-code',
      title: 'Claude Code',
      place: '.mcp.json in the folder of a project',
      text: clientSnippet(hub),
    },
    {
      client: 'claude-desktop',
      title: 'Claude Desktop',
      place: 'claude_desktop_config.json, which opens with Settings, Developer, Edit Config',
      text: json({ mcpServers: { [name]: bridgeTo(hub, home) } }),
    },
    {
      client: 'cursor',
      title: 'Cursor',
      place: '~/.cursor/mcp.json, or .cursor/mcp.json in the folder of a project',
      text: json({ mcpServers: { [name]: forCursor } }),
      link: `cursor://anysphere.cursor-deeplink/mcp/install?${new URLSearchParams({ name, config: base64(forCursor) })}`,
    },
    {
      client: 'vscode',
      title: 'VS Code',
      place: '.vscode/mcp.json in a workspace, or the command "MCP: Open User Configuration"',
      text: json({ servers: { [name]: http } }),
      link: `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name, ...http }))}`,
    },
  ];
}

/** The configuration that most MCP clients take, ready to copy. */
export function clientSnippet(hub: Hub): string {
  const server = { type: 'http', url: hub.url, ...headersFor(hub) };
  return json({ mcpServers: { [nameOf(hub)]: server } });
}

const launcher = fileURLToPath(new URL('../bin/luna.mjs', import.meta.url));

/** Clients that speak only stdio start this. They often know no PATH, so all paths are whole. */
function bridgeTo(hub: Hub, home: string): { command: string; args: string[] } {
  if (isMain(hub)) return { command: 'npx', args: ['-y', 'mcp-remote', hub.url] };
  const which = hub.name === 'default' ? [] : [hub.name];
  return { command: process.execPath, args: [launcher, 'mcp', ...which, '--home', home] };
}

/** Of a key of which only a hash is kept a place to put it. */
function bearerOf({ apiKey }: Hub): string {
  return `Bearer ${apiKey || 'THE-KEY-OF-THE-HUB'}`;
}

function headersFor(hub: Hub): { headers?: { Authorization: string } } {
  return isMain(hub) ? {} : { headers: { Authorization: bearerOf(hub) } };
}

function nameOf(hub: Hub): string {
  return hub.name === 'default' ? 'luna' : `luna-${hub.name}`;
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
