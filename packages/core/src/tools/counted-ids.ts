import { randomUUID } from 'node:crypto';

/** Ids in the form of a UUID, for what is many: random once, and then counted, which costs a tenth. They are no secret. */
export class CountedIds {
  readonly #random = randomUUID().slice(0, -12);
  #count = 0;

  next(): string {
    return this.#random + (++this.#count).toString(16).padStart(12, '0');
  }
}
