import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { Endpoint } from '../load/jobs.ts';
import type { Launched } from '../processes.ts';

/** How a hub reaches the fixture. `copies`: as so many servers, where the hub can have several. */
export type Upstream =
  | { readonly kind: 'http'; readonly url: string; readonly copies?: number }
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[] };

/** A hub that runs and is ready. */
export interface Hub {
  readonly endpoint: Endpoint;
  readonly process: Launched;
  /** From spawn until its own health endpoint said ready, in milliseconds. */
  readonly readyMs: number;
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>;
}

/** A kind of hub that the bench can start. */
export interface HubKind {
  readonly name: string;
  /** Why this kind cannot be measured here; undefined when it can. */
  missing(): string | undefined;
  /**
   * Starts one with the fixture as its only upstream. With `profile`, its processes write CPU profiles into that folder
   * when they end. Throws when it does not become ready.
   */
  start(upstream: Upstream, profile?: string): Promise<Hub>;
}

/** The longest time from spawn to ready, in milliseconds. */
const readyLimitMs = 60_000;
const pollEveryMs = 5;

/** Asks until the answer satisfies `isReady`. Throws when the process ends before, or at the limit. */
export async function untilReady(
  one: Launched,
  url: string,
  isReady: (status: number, text: string) => boolean,
): Promise<void> {
  const until = performance.now() + readyLimitMs;
  let last = 'nothing';
  while (performance.now() < until) {
    if (one.ended) throw new Error(`${one.name} ended before it was ready: ${one.lastWords()}`);
    try {
      const { statusCode, body } = await request(url, { headersTimeout: 5_000, bodyTimeout: 5_000 });
      const text = await body.text();
      if (isReady(statusCode, text)) return;
      last = `HTTP ${statusCode}: ${text.slice(0, 500)}`;
    } catch (thrown) {
      // Nobody listens yet.
      last = thrown instanceof Error ? thrown.message : String(thrown);
    }
    await sleep(pollEveryMs);
  }
  throw new Error(`${one.name} was not ready in ${readyLimitMs} ms; last seen: ${last}; it wrote: ${one.lastWords()}`);
}
