import type { Middleware } from '../tools/index.ts';

/** Knows whether calls of tools are under way, so that whoever ends Luna can let them come to their end. */
export class CallsUnderWay {
  #count = 0;
  #onNone: (() => void) | undefined;

  readonly begin: Middleware = (_call, next) => {
    this.#count++;
    return next();
  };

  /** To be told of every call that has begun once it has ended. */
  end(): void {
    if (--this.#count === 0) this.#onNone?.();
  }

  /** Settles when no call is under way, and after the limit in milliseconds in any case. */
  async none(limitMs: number): Promise<void> {
    if (this.#count === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((settle) => {
      this.#onNone = settle;
      timer = setTimeout(settle, limitMs);
    });
    clearTimeout(timer);
    this.#onNone = undefined;
    // The last answer is written by whoever called.
    await new Promise((settle) => setImmediate(settle));
  }
}
