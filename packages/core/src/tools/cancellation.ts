/**
 * Whether a call has been withdrawn, and who wants to hear of it. It is made for each call, and does what an
 * `AbortController` does at a fraction of the cost; an `AbortSignal` is made for those that ask for one.
 */
export class Cancellation {
  #cancelled = false;
  #reason: unknown;
  #controller: AbortController | undefined;
  #first: ((reason: unknown) => void) | undefined;
  #others: Set<(reason: unknown) => void> | undefined;

  /** One that is cancelled when the signal is aborted. */
  static of(signal: AbortSignal): Cancellation {
    const cancellation = new Cancellation();
    if (signal.aborted) cancellation.cancel(signal.reason);
    else signal.addEventListener('abort', () => cancellation.cancel(signal.reason), { once: true });
    return cancellation;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** The same, for what knows only signals. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Cancels once; later calls change nothing. */
  cancel(reason: unknown): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    const first = this.#first;
    const others = this.#others;
    this.#first = undefined;
    this.#others = undefined;
    first?.(reason);
    if (others) for (const listener of others) listener(reason);
  }

  /** Calls the listener when it is cancelled; not when it has been already. */
  onCancel(listener: (reason: unknown) => void): void {
    if (this.#cancelled) return;
    if (this.#first === undefined) this.#first = listener;
    else {
      this.#others ??= new Set();
      this.#others.add(listener);
    }
  }

  offCancel(listener: (reason: unknown) => void): void {
    if (this.#first === listener) this.#first = undefined;
    else this.#others?.delete(listener);
  }
}
