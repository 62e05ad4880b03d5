/** The hub that is always there, at /api/mcp. Clients of people get in by their consent, and no key opens it. */
export const mainHubName = 'main';
