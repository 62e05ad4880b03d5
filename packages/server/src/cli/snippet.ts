import type { HubWithKeyView } from '@luna/core/control';

/** The configuration that most MCP clients take, ready to copy. */
export function clientSnippet(hub: Pick<HubWithKeyView, 'name' | 'url' | 'apiKey'>): string {
  const server = { type: 'http', url: hub.url, headers: { Authorization: `Bearer ${hub.apiKey}` } };
  return JSON.stringify({ mcpServers: { [hub.name === 'default' ? 'luna' : `luna-${hub.name}`]: server } }, null, 2);
}
