/** What is under way in a worker or a process, each with a number, until all of it has ended. */
export class UnderWay<Entry> {
  readonly #entries = new Map<number, Entry>();
  #last = 0;
  #onIdle: (() => void) | undefined;

  /** The number of what begins next. */
  next(): number {
    return ++this.#last;
  }

  begin(id: number, entry: Entry): void {
    this.#entries.set(id, entry);
  }

  get(id: number): Entry | undefined {
    return this.#entries.get(id);
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** False when it had ended before. */
  end(id: number): boolean {
    const wasThere = this.#entries.delete(id);
    if (this.#entries.size === 0) this.#onIdle?.();
    return wasThere;
  }

  /** Waits until all of it has ended, or for the limit in milliseconds. */
  async idle(limitMs: number): Promise<void> {
    if (this.#entries.size === 0) return;
    await new Promise<void>((settle) => {
      const timer = setTimeout(settle, limitMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        settle();
      };
    });
  }
}
