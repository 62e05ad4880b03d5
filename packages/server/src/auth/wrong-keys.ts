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
  async note({ socket, headers }: IncomingMessage, key: string | undefined): Promise<void> {
    const forwarded = headers['x-forwarded-for'];
    const forwardedFor = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
    const address = clientAddress(socket.remoteAddress, forwardedFor, this.#trustedProxies());
    await this.#guessing.failed(address, key !== undefined);
  }
}
