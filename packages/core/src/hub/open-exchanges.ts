import type { Cancellation } from '../tools/index.ts';

/** A request of the session that is being answered. */
export interface SessionRequest {
  readonly startedAt: number;
  readonly cancellation: Cancellation;
  /** The answer takes long: shows that it is still to come. */
  begin(): void;
}

/**
 * The requests of a session that are being answered, by the client's request id. Most clients have one at a time, and
 * that one costs nothing to keep. The others are in an object and not in a `Map`, because V8 chains the outgrown tables
 * of a `Map`: with many short requests at a time most of what they leave would outlive them.
 */
export class OpenExchanges {
  #only: { readonly id: string | number; readonly request: SessionRequest } | undefined;
  readonly #others: Record<string, SessionRequest> = Object.create(null);
  #otherCount = 0;

  get size(): number {
    return this.#otherCount + (this.#only ? 1 : 0);
  }

  get(id: unknown): SessionRequest | undefined {
    return this.#only?.id === id ? this.#only?.request : this.#others[keyOf(id)];
  }

  /** A client that uses an id twice at one time can cancel only the later request. */
  add(id: string | number, request: SessionRequest): void {
    if (!this.#only || this.#only.id === id) {
      if (this.#otherCount > 0) this.#delete(keyOf(id));
      this.#only = { id, request };
      return;
    }
    const key = keyOf(id);
    if (!this.#others[key]) this.#otherCount++;
    this.#others[key] = request;
  }

  delete(id: string | number, request: SessionRequest): void {
    if (this.#only?.request === request) this.#only = undefined;
    else if (this.#otherCount > 0 && this.#others[keyOf(id)] === request) this.#delete(keyOf(id));
  }

  all(): SessionRequest[] {
    const others = Object.values(this.#others);
    return this.#only ? [this.#only.request, ...others] : others;
  }

  #delete(key: string): void {
    if (!this.#others[key]) return;
    delete this.#others[key];
    this.#otherCount--;
  }
}

/** The id 1 is another one than "1". */
function keyOf(id: unknown): string {
  return typeof id === 'string' ? `"${id}` : String(id);
}
