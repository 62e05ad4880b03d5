import ipaddr from 'ipaddr.js';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { LunaError } from '../errors/index.ts';

/** Wrong keys from one address in a minute, before the answer is another one. */
const triesPerMinute = 20;

/**
 * Counts wrong keys by the address that they come from. It is asked only when a key was found to be wrong, so whoever
 * has the right one is never kept out, from whatever address.
 */
export class KeyGuessing {
  readonly #limiter = new RateLimiterMemory({ points: triesPerMinute, duration: 60 });

  /** Throws `limit_exceeded` when too many wrong keys came from an address, for what is too costly to be tried. */
  async assertMayTry(address: string): Promise<void> {
    this.#refuse(await this.#limiter.get(guesserOf(address)));
  }

  /**
   * Notes that no right key came from an address; `tried`: a wrong one did. Throws `limit_exceeded` when that happened
   * too often.
   */
  async failed(address: string, tried: boolean): Promise<void> {
    const who = guesserOf(address);
    const state = tried ? await this.#limiter.penalty(who) : await this.#limiter.get(who);
    this.#refuse(state);
  }

  #refuse(state: RateLimiterRes | null): void {
    if (!state || state.consumedPoints <= triesPerMinute) return;
    const retryAfterSeconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
    throw new LunaError(
      'limit_exceeded',
      `Too many wrong keys came from your address. Use the right one, or try again in ${retryAfterSeconds} s.`,
      { details: { retryAfterSeconds } },
    );
  }
}

/** Who has one address of IPv6 has 2^64 of them. */
function guesserOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
