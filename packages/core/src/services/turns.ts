import { LunaError } from '../errors/index.ts';

interface Turn {
  readonly doing: string;
  readonly isAutomatic: boolean;
  readonly abort: AbortController;
  readonly done: Promise<unknown>;
}

/** One piece of work on a service at a time. What people ask for goes before what Luna does by itself. */
export class Turns {
  readonly #title: string;
  #current: Turn | undefined;
  #isClosed = false;

  constructor(title: string) {
    this.#title = title;
  }

  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#current) await this.#current.done;
  }

  /**
   * Does the work alone. `interrupts`: whatever is under way is ended first; otherwise that is `conflict`, unless Luna
   * does it by itself.
   */
  async take<Result>(
    doing: string,
    work: (signal: AbortSignal) => Promise<Result>,
    { interrupts = false, isAutomatic = false } = {},
  ): Promise<Result> {
    while (this.#current) {
      const { doing: other, isAutomatic: mayEnd, abort, done } = this.#current;
      if (!interrupts && (!mayEnd || isAutomatic))
        throw new LunaError('conflict', `"${this.#title}" is being ${other} just now. Try again when that is through.`);
      abort.abort();
      await done;
    }
    if (this.#isClosed) throw new LunaError('cancelled', 'Luna is stopping.');
    const abort = new AbortController();
    const result = work(abort.signal);
    const over = () => {
      if (this.#current === turn) this.#current = undefined;
    };
    const turn: Turn = { doing, isAutomatic, abort, done: result.then(over, over) };
    this.#current = turn;
    return result;
  }

  /** Ends what is under way; nothing comes after it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#current?.abort.abort();
    await this.#current?.done;
  }
}
