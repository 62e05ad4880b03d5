import { z } from 'zod';

/** What a running Luna shows of its hubs, and of the clients that come to them. */

export const hubView = z.object({
  name: z.string(),
  enabled: z.boolean(),
  access: z
    .enum(['key', 'oauth'])
    .describe('How clients get in: by the key of the hub, or because a person let them in.'),
  path: z.string().describe('The path of the hub, for example /api/mcp-default.'),
  url: z.string().describe('The full address that clients connect to.'),
  toolCount: z.number(),
  sessions: z.number().describe('Clients of the 2025 protocols that are connected now.'),
  streams: z.number().describe('Event streams that are open now.'),
});

export const hubWithKeyView = hubView.extend({
  apiKey: z
    .string()
    .describe('The bearer key of the hub; empty when only its hash is kept, or no key opens it. Secret.'),
  keyIsHashed: z.boolean().describe('Whether only a hash of the key is kept, so that it cannot be shown.'),
  callsPerMinute: z.number().optional().describe('The most calls of tools in a minute.'),
  toolConfig: z.record(z.string(), z.looseObject({ enabled_in_mcp: z.boolean().optional() })),
});

export const oauthClientView = z.object({
  id: z.string(),
  clientId: z.string(),
  clientName: z.string().describe('What the client calls itself.'),
  letInBy: z.string().describe('The person who let it in.'),
  redirectUris: z.array(z.string()).describe('Where it was sent back to.'),
  scope: z.string(),
  createdAt: z.number().describe('Milliseconds since the epoch.'),
});

export const clientSetupView = z.object({
  client: z.enum(['claude-code', 'claude-desktop', 'cursor', 'vscode']),
  title: z.string(),
  place: z.string().describe('Where the text belongs.'),
  text: z.string().describe('What to copy. Holds the key of the hub: secret.'),
  link: z.string().optional().describe('Opens the client, which asks the person first. Holds the key: secret.'),
});

export type HubView = z.infer<typeof hubView>;
export type HubWithKeyView = z.infer<typeof hubWithKeyView>;
export type OAuthClientView = z.infer<typeof oauthClientView>;
export type ClientSetupView = z.infer<typeof clientSetupView>;
