import { LunaError } from '@luna/core/errors';

/** How many streams for people and scripts are open at one time, and a limit on it. */
export class OpenStreams {
  readonly #max: number;
  #open = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts one in; call what it returns once the stream is closed. Throws `limit_exceeded`. */
  enter(): () => void {
    if (this.#open >= this.#max) {
      throw new LunaError(
        'limit_exceeded',
        `${this.#max} streams of events and logs are open already. Close one, or try again later.`,
        { details: { retryAfterSeconds: 10 } },
      );
    }
    this.#open++;
    let isIn = true;
    return () => {
      if (isIn) this.#open--;
      isIn = false;
    };
  }
}
