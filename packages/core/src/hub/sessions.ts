import type { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import type { Server } from '@modelcontextprotocol/server';

/** One client of the 2025 protocols, from its `initialize` to its end. */
export interface Session {
  readonly id: string;
  /** Who opened it: a session id is an address, not a credential. */
  readonly owner: string;
  readonly server: Server;
  readonly transport: NodeStreamableHTTPServerTransport;
  /** Calls on the fast lane, by the client's request id, so that a cancellation finds them. */
  readonly calls: Map<string | number, AbortController>;
  /** When it was last used, milliseconds since the epoch. */
  usedAt: number;
  /** Event streams of notifications that are open now. */
  streams: number;
  /** Requests off the fast lane that are being answered now. */
  requests: number;
  /** The tools changed while there was no stream to tell of it. */
  missedChange: boolean;
}

export interface SessionLimits {
  /** A session that was not used for so long is closed, in milliseconds. */
  readonly idleMs: number;
  /** With so many sessions the one that was unused the longest makes room. */
  readonly max: number;
}

/** The sessions of a hub, bounded in number and age. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, Session>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(limits.idleMs, 60_000)).unref();
  }

  get size(): number {
    return this.#sessions.size;
  }

  get streams(): number {
    let streams = 0;
    for (const session of this.#sessions.values()) streams += session.streams;
    return streams;
  }

  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    if (this.#sessions.size > this.#limits.max) this.#evictOldest();
  }

  /** The session of this id if this owner opened it; it counts as used. */
  use(id: string, owner: string): Session | undefined {
    const session = this.#sessions.get(id);
    if (session?.owner !== owner) return undefined;
    session.usedAt = Date.now();
    return session;
  }

  /** Ends a session: its calls are cancelled, its streams closed. */
  async end(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    if (!session) return;
    this.#sessions.delete(id);
    for (const call of session.calls.values()) call.abort();
    await session.server.close();
  }

  async endAll(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#sessions.keys()].map((id) => this.end(id)));
  }

  #sweep(): void {
    const oldest = Date.now() - this.#limits.idleMs;
    for (const session of this.#sessions.values()) {
      if (session.usedAt < oldest && !isInUse(session)) void this.end(session.id);
    }
  }

  #evictOldest(): void {
    let oldest: Session | undefined;
    for (const session of this.#sessions.values()) {
      if (!isInUse(session) && (!oldest || session.usedAt < oldest.usedAt)) oldest = session;
    }
    if (oldest) void this.end(oldest.id);
  }
}

function isInUse({ streams, calls, requests }: Session): boolean {
  return streams > 0 || calls.size > 0 || requests > 0;
}
