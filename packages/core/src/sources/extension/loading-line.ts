import { availableParallelism } from 'node:os';

export interface LoadingLineOptions {
  /** How many load at one time. Default: two for each processor, at least four. */
  readonly size?: number;
  /** One that takes longer than this, in milliseconds, goes on beside the line and holds nobody up. Default 3,000. */
  readonly patienceMs?: number;
}

/**
 * Extensions that are loaded a few at a time: all at once on a busy machine, none of them would be loaded within its
 * limit of time, which begins when its turn has come.
 */
export class LoadingLine {
  readonly #patienceMs: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor({ size = Math.max(4, 2 * availableParallelism()), patienceMs = 3_000 }: LoadingLineOptions = {}) {
    this.#free = size;
    this.#patienceMs = patienceMs;
  }

  /** Throws the signal's reason where that was aborted before its turn came. */
  async load<Loaded>(work: () => Promise<Loaded>, signal?: AbortSignal): Promise<Loaded> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((settle) => this.#waiting.push(settle));
    let isPassedOn = false;
    const passOn = () => {
      if (isPassedOn) return;
      isPassedOn = true;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
    const patience = setTimeout(passOn, this.#patienceMs);
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      clearTimeout(patience);
      passOn();
    }
  }
}
