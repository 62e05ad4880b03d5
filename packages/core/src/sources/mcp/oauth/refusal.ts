import { extractWWWAuthenticateParams } from '@modelcontextprotocol/client';
import type { Challenge } from './browser-flow.ts';

/** What a server's refusal asks for: another token, or one with more rights. */
export type Refusal = Challenge & { readonly wants: 'token' | 'rights' };

/** Reads a refusal (RFC 6750, "The WWW-Authenticate Response Header Field"); undefined where it is none. */
export function refusalOf(status: number, challenge: string | undefined): Refusal | undefined {
  if (status !== 401 && status !== 403) return undefined;
  const headers = new Headers(challenge === undefined ? {} : { 'www-authenticate': challenge });
  const { error, resourceMetadataUrl, scope } = extractWWWAuthenticateParams(new Response(null, { headers }));
  const asked = { ...(resourceMetadataUrl && { resourceMetadataUrl }), ...(scope !== undefined && { scope }) };
  if (status === 401) return { wants: 'token', ...asked };
  return error === 'insufficient_scope' ? { wants: 'rights', ...asked } : undefined;
}
