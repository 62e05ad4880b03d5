import { createHash } from 'node:crypto';
import { Consents, type Store } from '@luna/core/store';
import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';
import { z } from 'zod';
import { grantClaim, toolScope } from './names.ts';
import { publicKeys, signingAlgorithm } from './signing-keys.ts';

/** Who came with a token, and by whose consent. */
export interface Access {
  readonly accountId: string;
  readonly clientId: string;
  readonly grantId: string;
}

/** Why a token opens nothing, as RFC 6750 names it. */
export type TokenRefusal = 'invalid_token' | 'insufficient_scope';

const claimsSchema = z.object({
  sub: z.string().min(1),
  client_id: z.string().min(1),
  exp: z.number(),
  scope: z.string().default(''),
  [grantClaim]: z.string().min(1),
});

/** How many verified tokens are remembered: a signature is checked once, not at each call. */
const maxRemembered = 10_000;

export interface AccessTokensOptions {
  readonly issuer: string;
  readonly store: Store;
  readonly signingKeys: readonly JWK[];
  /** The URLs of the hub `main`: a token for anything else is refused. */
  readonly audiences: () => readonly string[];
}

/** Checks access tokens, without asking anybody but the database whether the consent still holds. */
export class AccessTokens {
  readonly #options: AccessTokensOptions;
  readonly #keys: ReturnType<typeof createLocalJWKSet>;
  readonly #consents: Consents;
  readonly #known = new Map<string, z.infer<typeof claimsSchema>>();

  constructor(options: AccessTokensOptions) {
    this.#options = options;
    this.#keys = createLocalJWKSet(publicKeys(options.signingKeys));
    this.#consents = new Consents(options.store);
  }

  /** Who may come in with this token, or why nobody may. */
  async verify(token: string): Promise<Access | TokenRefusal> {
    const claims = await this.#claims(token);
    if (!claims || claims.exp * 1000 <= Date.now()) return 'invalid_token';
    if (!claims.scope.split(' ').includes(toolScope)) return 'insufficient_scope';
    const grantId = claims[grantClaim];
    const consent = await this.#consents.ofGrant(grantId);
    if (consent?.accountId !== claims.sub || consent.clientId !== claims.client_id) return 'invalid_token';
    return { accountId: claims.sub, clientId: claims.client_id, grantId };
  }

  async #claims(token: string): Promise<z.infer<typeof claimsSchema> | undefined> {
    const digest = createHash('sha256').update(token).digest('base64url');
    const known = this.#known.get(digest);
    if (known) return known;
    const { issuer, audiences } = this.#options;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience: [...audiences()],
        algorithms: [signingAlgorithm],
        typ: 'at+jwt',
      });
      const claims = claimsSchema.parse(payload);
      for (const oldest of this.#known.keys()) if (this.#known.size >= maxRemembered) this.#known.delete(oldest);
      this.#known.set(digest, claims);
      return claims;
    } catch {
      return undefined;
    }
  }
}
