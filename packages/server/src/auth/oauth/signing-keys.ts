import { SigningKeys, type Store } from '@luna/core/store';
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose';

/** The one algorithm of tokens. Another one in a token's head is never looked at. */
export const signingAlgorithm = 'RS256';

/** The private keys of the authorization server; made at first use. */
export async function signingKeys(store: Store): Promise<JWK[]> {
  const keys = new SigningKeys(store);
  const known = await keys.list();
  if (known.length > 0) return known as JWK[];
  const { privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true });
  const jwk: JWK = {
    ...(await exportJWK(privateKey)),
    kid: crypto.randomUUID(),
    use: 'sig',
    alg: signingAlgorithm,
  };
  await keys.add(jwk);
  return [jwk];
}

/** The public halves, for whoever verifies. */
export function publicKeys(keys: readonly JWK[]): JSONWebKeySet {
  return { keys: keys.map(({ kty, n, e, kid, use, alg }) => ({ kty, n, e, kid, use, alg })) };
}
