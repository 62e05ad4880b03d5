import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Refusal } from '../hub/index.ts';

/** How many tools may be called in a minute by all who share a key. Without a number there is no limit. */
export class CallRate {
  #limiter: RateLimiterMemory | undefined;

  /** Takes over a limit. What was used of the present minute counts on while the number stays the same. */
  allow(callsPerMinute: number | undefined): void {
    if (callsPerMinute === this.#limiter?.points) return;
    this.#limiter =
      callsPerMinute === undefined ? undefined : new RateLimiterMemory({ points: callsPerMinute, duration: 60 });
  }

  /** Counts calls; answers why they are refused when they are too many. */
  admit(calls: number): Promise<Refusal | undefined> | undefined {
    return this.#limiter && calls > 0 ? consume(this.#limiter, calls) : undefined;
  }

  /** The same for the calls in a body of MCP. */
  admitBody(body: unknown): Promise<Refusal | undefined> | undefined {
    if (!this.#limiter) return undefined;
    return this.admit((Array.isArray(body) ? body : [body]).filter(isToolCall).length);
  }
}

async function consume(limiter: RateLimiterMemory, calls: number): Promise<Refusal | undefined> {
  try {
    await limiter.consume('calls', calls);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof RateLimiterRes)) throw thrown;
    const retryAfterSeconds = Math.max(1, Math.ceil(thrown.msBeforeNext / 1000));
    const message = `More than ${limiter.points} calls in a minute. Try again in ${retryAfterSeconds} s.`;
    return {
      status: 429,
      error: { code: -32000, message, data: { code: 'limit_exceeded', retryAfterSeconds } },
      headers: { 'retry-after': String(retryAfterSeconds) },
    };
  }
}

function isToolCall(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'method' in message && message.method === 'tools/call';
}
