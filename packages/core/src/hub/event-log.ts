/** How much of what was sent is kept for clients that lose a stream. */
const limits = { bytesPerSession: 512 * 1024, keptAfterEndMs: 60_000 };

/** One event as it was sent. */
export interface LoggedEvent {
  readonly number: number;
  /** The JSON-RPC message, or empty for an event that only gives the stream an id. */
  readonly data: string;
}

interface Log {
  readonly events: LoggedEvent[];
  last: number;
  endedAt: number | undefined;
}

/**
 * The events of one session's streams, for clients that come back after a connection broke (MCP 2025-11-25,
 * transports, "Resumability and Redelivery"). Bounded: the oldest events go first.
 */
export class EventLog {
  readonly #logs = new Map<string, Log>();
  #bytes = 0;

  /** Keeps an event and returns its id. */
  append(stream: string, data: string): string {
    const log = this.#logs.get(stream) ?? { events: [], last: 0, endedAt: undefined };
    this.#logs.set(stream, log);
    const number = ++log.last;
    log.events.push({ number, data });
    this.#bytes += data.length;
    this.#trim();
    return `${stream}.${number}`;
  }

  /** Nothing more comes on this stream; it is kept a while. */
  end(stream: string): void {
    const log = this.#logs.get(stream);
    if (log) log.endedAt = performance.now();
    for (const [name, other] of this.#logs) {
      if (other.endedAt !== undefined && performance.now() - other.endedAt > limits.keptAfterEndMs)
        this.#drop(name, other);
    }
  }

  /** The stream that an event id names, and what came after it; undefined when nothing is known of it any more. */
  after(eventId: string): { stream: string; events: readonly LoggedEvent[]; ended: boolean } | undefined {
    const [, stream = '', number = ''] = /^(.+)\.(\d+)$/.exec(eventId) ?? [];
    const log = this.#logs.get(stream);
    if (!log) return undefined;
    const events = log.events.filter((event) => event.number > Number(number));
    return { stream, events, ended: log.endedAt !== undefined };
  }

  #trim(): void {
    for (const [name, log] of this.#logs) {
      while (this.#bytes > limits.bytesPerSession && log.events.length > 1)
        this.#bytes -= log.events.shift()?.data.length ?? 0;
      if (this.#bytes > limits.bytesPerSession && log.endedAt !== undefined) this.#drop(name, log);
      if (this.#bytes <= limits.bytesPerSession) return;
    }
  }

  #drop(name: string, log: Log): void {
    for (const { data } of log.events) this.#bytes -= data.length;
    this.#logs.delete(name);
  }
}
