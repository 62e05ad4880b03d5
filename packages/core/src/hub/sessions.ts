import type { LegacySession } from './session.ts';

export interface SessionLimits {
  /** A session that was not used for so long is closed, in milliseconds. */
  readonly idleMs: number;
  /** With so many sessions the one that was unused the longest makes room. */
  readonly max: number;
}

/** The sessions of a hub, bounded in number and age. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, LegacySession>();
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
    for (const session of this.#sessions.values()) if (session.hasStream) streams++;
    return streams;
  }

  all(): Iterable<LegacySession> {
    return this.#sessions.values();
  }

  add(session: LegacySession): void {
    this.#sessions.set(session.id, session);
    if (this.#sessions.size > this.#limits.max) this.#evictOldest();
  }

  /** The session of this id if this owner opened it; it counts as used. */
  use(id: string, owner: string): LegacySession | undefined {
    const session = this.#sessions.get(id);
    if (session?.owner !== owner) return undefined;
    session.usedAt = performance.now();
    return session;
  }

  /** Ends a session: its calls are cancelled, its streams closed. */
  end(id: string): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    this.#sessions.delete(id);
    session.end();
  }

  endOf(owner: string): void {
    for (const session of [...this.#sessions.values()]) if (session.owner === owner) this.end(session.id);
  }

  endAll(): void {
    clearInterval(this.#sweeper);
    for (const id of [...this.#sessions.keys()]) this.end(id);
  }

  #sweep(): void {
    const oldest = performance.now() - this.#limits.idleMs;
    for (const session of this.#sessions.values()) {
      if (session.usedAt < oldest && !session.isInUse) this.end(session.id);
    }
  }

  #evictOldest(): void {
    let oldest: LegacySession | undefined;
    for (const session of this.#sessions.values()) {
      if (!session.isInUse && (!oldest || session.usedAt < oldest.usedAt)) oldest = session;
    }
    if (oldest) this.end(oldest.id);
  }
}
