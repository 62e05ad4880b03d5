/** The environment key that mirrors the key of a hub. */
export function hubKeyName(hub: string): string {
  return `MCP_SERVER_${hub.toUpperCase().replace(/-/g, '_')}_API_KEY`;
}

/** The environment key of the token that stands for an administrator. */
export const supervisorTokenName = 'SUPERVISOR_API_TOKEN';

/** The environment key of the key that opens the agents. */
export const agentKeyName = 'AGENT_API_KEY';
