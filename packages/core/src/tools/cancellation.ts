/** Who wants to hear of a cancellation: a function, or what needs none made for it. */
export type CancelListener = ((reason: unknown) => void) | { cancelled(reason: unknown): void };

/**
 * Whether a call has been withdrawn, and who wants to hear of it. It is made for each call, and does what an
 * `AbortController` does at a fraction of the cost; an `AbortSignal` is made for those that ask for one.
 */
export class Cancellation {
  #cancelled = false;
  #reason: unknown;
  #controller: AbortController | undefined;
  /** Nearly every call has two listeners: its time limit and what carries it. */
  #first: CancelListener | undefined;
  #second: CancelListener | undefined;
  #others: Set<CancelListener> | undefined;

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
    const listeners = [this.#first, this.#second, ...(this.#others ?? [])];
    this.#first = undefined;
    this.#second = undefined;
    this.#others = undefined;
    for (const listener of listeners) {
      if (typeof listener === 'function') listener(reason);
      else listener?.cancelled(reason);
    }
  }

  /** Tells the listener when it is cancelled; not when it has been already. */
  onCancel(listener: CancelListener): void {
    if (this.#cancelled) return;
    if (!this.#first) this.#first = listener;
    else if (!this.#second) this.#second = listener;
    else {
      this.#others ??= new Set();
      this.#others.add(listener);
    }
  }

  offCancel(listener: CancelListener): void {
    if (this.#first === listener) this.#first = undefined;
    else if (this.#second === listener) this.#second = undefined;
    else this.#others?.delete(listener);
  }
}
