import type { PendingRequest } from './pending-request.ts';

/** The SDK's client counts its own requests from 0; these stay far from them, and within 53 bits for as long as one likes. */
const firstId = 1_000_000_000;

/**
 * The requests that are under way, by their ids. A `Map` would do, but for garbage: V8 chains its outgrown tables, so
 * that with many short calls each collection of young objects keeps a good part of those that have ended.
 *
 * A request lives in the slot of its id; an id whose slot is taken is not given out. So ids never repeat.
 */
export class PendingRequests {
  #slots: (PendingRequest | undefined)[] = new Array(64).fill(undefined);
  #nextId = firstId;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Takes a request in, and says under which id. */
  add(request: PendingRequest): number {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    const slots = this.#slots;
    const mask = slots.length - 1;
    while (slots[this.#nextId & mask]) this.#nextId++;
    const id = this.#nextId++;
    request.id = id;
    slots[id & mask] = request;
    this.#size++;
    return id;
  }

  get(id: unknown): PendingRequest | undefined {
    if (typeof id !== 'number') return undefined;
    const found = this.#slots[id & (this.#slots.length - 1)];
    return found?.id === id ? found : undefined;
  }

  delete(request: PendingRequest): void {
    const slot = request.id & (this.#slots.length - 1);
    if (this.#slots[slot] !== request) return;
    this.#slots[slot] = undefined;
    this.#size--;
  }

  /** Whether an id is one that this side gives out, whatever has become of its request. */
  isOurs(id: unknown): boolean {
    return typeof id === 'number' && id >= firstId;
  }

  all(): PendingRequest[] {
    return this.#slots.filter((request) => request !== undefined);
  }

  /** Ids that differ in a short table differ in a longer one. */
  #grow(): void {
    const longer: (PendingRequest | undefined)[] = new Array(this.#slots.length * 2).fill(undefined);
    for (const request of this.#slots) if (request) longer[request.id & (longer.length - 1)] = request;
    this.#slots = longer;
  }
}
