import type { Failures } from './jobs.ts';

/** Counts what goes wrong, by message. */
export class FailureCount {
  readonly #counts = new Map<string, number>();
  total = 0;

  add(thrown: unknown): void {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    this.#counts.set(message, (this.#counts.get(message) ?? 0) + 1);
    this.total += 1;
  }

  toRecord(): Failures {
    return Object.fromEntries(this.#counts);
  }
}
