import { createHash, randomBytes } from 'node:crypto';

/** How long a link may be used, in milliseconds. */
const lifeMs = 15 * 60_000;
const maxOpen = 100;

/** Tokens that sign a person in once. Only their digests are kept. */
export class SignInLinks {
  readonly #open = new Map<string, number>();

  make(): string {
    this.#forgetOld();
    const token = randomBytes(24).toString('base64url');
    this.#open.set(digest(token), Date.now() + lifeMs);
    return token;
  }

  /** True once for a token that was made and has not expired. */
  use(token: string): boolean {
    const expires = this.#open.get(digest(token));
    this.#open.delete(digest(token));
    return expires !== undefined && expires > Date.now();
  }

  #forgetOld(): void {
    for (const [key, expires] of this.#open) if (expires <= Date.now()) this.#open.delete(key);
    for (const key of this.#open.keys()) if (this.#open.size >= maxOpen) this.#open.delete(key);
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
