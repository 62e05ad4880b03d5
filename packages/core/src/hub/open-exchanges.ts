import type { Cancellation } from '../tools/index.ts';

/** A request of the session that is being answered. */
export interface SessionRequest {
  readonly startedAt: number;
  readonly cancellation: Cancellation;
  /** The answer takes long: shows that it is still to come. */
  begin(): void;
}

/**
 * The requests of a session that are being answered, by the client's request id. An object and not a `Map`, because V8
 * chains the outgrown tables of a `Map`: with many short requests at a time most of what they leave would outlive them.
 */
export class OpenExchanges {
  readonly #byId: Record<string, SessionRequest> = Object.create(null);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: unknown): SessionRequest | undefined {
    return this.#byId[keyOf(id)];
  }

  /** A client that uses an id twice at one time can cancel only the later request. */
  add(id: string | number, request: SessionRequest): void {
    const key = keyOf(id);
    if (!this.#byId[key]) this.#size++;
    this.#byId[key] = request;
  }

  delete(id: string | number, request: SessionRequest): void {
    const key = keyOf(id);
    if (this.#byId[key] !== request) return;
    delete this.#byId[key];
    this.#size--;
  }

  all(): SessionRequest[] {
    return Object.values(this.#byId);
  }
}

/** The id 1 is another one than "1". */
function keyOf(id: unknown): string {
  return typeof id === 'string' ? `"${id}` : String(id);
}
