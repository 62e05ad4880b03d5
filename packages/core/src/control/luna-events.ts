import type { CallRecord } from '../tools/index.ts';
import type { LunaEvent } from './views.ts';

/** How many of the latest calls are kept for people to see. */
const recentCallCount = 100;

/** Tells those who listen what happens in a Luna, and keeps the latest calls. */
export class LunaEvents {
  readonly #redact: (text: string) => string;
  readonly #listeners = new Set<(event: LunaEvent) => void>();
  readonly #callListeners = new Set<(call: CallRecord) => void>();
  readonly #recentCalls: CallRecord[] = [];

  /** `redact` covers secrets in what calls failed with. */
  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** The latest calls, the last one first. */
  get recentCalls(): CallRecord[] {
    return [...this.#recentCalls].reverse();
  }

  /** Calls the listener for each event; returns how to stop. */
  onEvent(listener: (event: LunaEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener for each call of a tool that ended; returns how to stop. It stands in the way of every call. */
  onCall(listener: (call: CallRecord) => void): () => void {
    this.#callListeners.add(listener);
    return () => this.#callListeners.delete(listener);
  }

  emit(event: LunaEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Tells of a call that ended, and keeps it for a while. */
  recordCall(ended: CallRecord): void {
    const { errorMessage } = ended;
    const call = errorMessage === undefined ? ended : { ...ended, errorMessage: this.#redact(errorMessage) };
    for (const listener of this.#callListeners) listener(call);
    this.#recentCalls.push(call);
    if (this.#recentCalls.length > recentCallCount) this.#recentCalls.shift();
    if (this.#listeners.size > 0) this.emit({ type: 'call.ended', call: { ...call } });
  }

  /** Nobody is told any more. */
  close(): void {
    this.#listeners.clear();
    this.#callListeners.clear();
  }
}
