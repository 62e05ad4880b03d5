import type { IncomingMessage } from 'node:http';
import { clientAddress, KeyGuessing } from '@luna/core/control';

/** Keeps those out who guess keys, tokens or sign-in links. Ask it only when what was sent is wrong. */
export class WrongKeys {
  readonly #guessing = new KeyGuessing();
  readonly #trustedProxies: () => readonly string[];

  constructor(trustedProxies: () => readonly string[]) {
    this.#trustedProxies = trustedProxies;
  }

  /** Throws `limit_exceeded` when too many wrong keys came from where this request comes from. */
  async note(request: IncomingMessage, key: string | undefined): Promise<void> {
    await this.#guessing.failed(this.#addressOf(request), key !== undefined);
  }

  /** Throws as {@link note} does, and counts nothing: for what is too costly to be tried by a guesser. */
  async assertMayTry(request: IncomingMessage): Promise<void> {
    await this.#guessing.assertMayTry(this.#addressOf(request));
  }

  #addressOf({ socket, headers }: IncomingMessage): string {
    const forwarded = headers['x-forwarded-for'];
    const forwardedFor = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
    return clientAddress(socket.remoteAddress, forwardedFor, this.#trustedProxies());
  }
}
