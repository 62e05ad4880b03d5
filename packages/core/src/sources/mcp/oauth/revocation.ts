import { z } from 'zod';
import type { AuthorizationRecord } from './record.ts';

const metadataSchema = z.looseObject({
  revocation_endpoint: z.string().optional(),
  revocation_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});

/** How long the authorization server may take, in milliseconds. */
const limitMs = 10_000;

/** Gives tokens back to the server that issued them (RFC 7009), the refresh token first. */
export async function revoke(record: AuthorizationRecord, fetchIt: typeof fetch): Promise<void> {
  const metadata = metadataSchema.safeParse(record.discovery?.authorizationServerMetadata).data;
  const { tokens, client } = record;
  if (!metadata?.revocation_endpoint || !tokens || !client) return;
  for (const [hint, token] of [
    ['refresh_token', tokens.refresh_token],
    ['access_token', tokens.access_token],
  ] as const) {
    if (token === undefined) continue;
    const body = new URLSearchParams({ token, token_type_hint: hint });
    const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded' });
    const methods = metadata.revocation_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    if (client.client_secret !== undefined && methods.includes('client_secret_basic')) {
      const pair = [client.client_id, client.client_secret].map(encodeURIComponent).join(':');
      headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
    } else {
      body.set('client_id', client.client_id);
      if (client.client_secret !== undefined) body.set('client_secret', client.client_secret);
    }
    const response = await fetchIt(metadata.revocation_endpoint, {
      method: 'POST',
      headers,
      body: body.toString(),
      redirect: 'error',
      signal: AbortSignal.timeout(limitMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  }
}
