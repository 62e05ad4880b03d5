import { z } from 'zod';

/** What is kept of one server's authorization. Everything in it is encrypted at rest. */

const clientSchema = z.looseObject({
  client_id: z.string(),
  client_secret: z.string().optional(),
  redirect_uris: z.array(z.string()).optional(),
  issuer: z.string().optional(),
});

const tokensSchema = z.looseObject({
  access_token: z.string(),
  token_type: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.number().optional(),
  scope: z.string().optional(),
  issuer: z.string().optional(),
});

/** Where the SDK found the authorization server, as it wants it back. */
const discoverySchema = z.looseObject({
  authorizationServerUrl: z.string(),
  resourceMetadataUrl: z.string().optional(),
  authorizationServerMetadata: z.looseObject({}).optional(),
  resourceMetadata: z.looseObject({ resource: z.string() }).optional(),
});

const flowSchema = z.object({
  /** Who began, as the server names them; the same must finish. */
  owner: z.string(),
  startedAt: z.number(),
  redirectUrl: z.string(),
  codeVerifier: z.string(),
  client: clientSchema,
  discovery: discoverySchema,
});

export const authorizationRecord = z.object({
  /** The tokens are for this address and go to no other. */
  serverUrl: z.string(),
  tokens: tokensSchema.optional(),
  /** When the access token ends, in milliseconds since the epoch, where the server said so. */
  expiresAt: z.number().optional(),
  client: clientSchema.optional(),
  discovery: discoverySchema.optional(),
  /** Authorizations that a person has begun, by the digest of their state. */
  flows: z.record(z.string(), flowSchema).default({}),
});

export type AuthorizationRecord = z.infer<typeof authorizationRecord>;
export type AuthorizationFlow = z.infer<typeof flowSchema>;
export type UpstreamClient = z.infer<typeof clientSchema>;
export type UpstreamTokens = z.infer<typeof tokensSchema>;
export type UpstreamDiscovery = z.infer<typeof discoverySchema>;
