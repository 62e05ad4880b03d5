import { setTimeout as sleep } from 'node:timers/promises';

export interface ListRefreshesOptions {
  /** The first pause, in milliseconds; each further one is twice as long. */
  readonly pauseMs?: number;
  /** The longest pause. */
  readonly mostPauseMs?: number;
}

/** So many times in a row a server is asked without a pause. */
const freeRefreshes = 5;

/**
 * Lists anew what a server says has changed. One listing at a time, so that an older answer never takes the place of a
 * newer one; and with ever longer pauses for a server that says so each time that it is asked.
 */
export class ListRefreshes<Kind> {
  readonly #list: (kind: Kind) => Promise<void>;
  readonly #pauseMs: number;
  readonly #mostPauseMs: number;
  readonly #states = new Map<Kind, { isAsked: boolean; isUnderWay: boolean; inRow: number; listedAt: number }>();

  /** `list` must not throw. */
  constructor(list: (kind: Kind) => Promise<void>, { pauseMs = 200, mostPauseMs = 10_000 }: ListRefreshesOptions = {}) {
    this.#list = list;
    this.#pauseMs = pauseMs;
    this.#mostPauseMs = mostPauseMs;
  }

  /** Has a list read that begins after now. */
  ask(kind: Kind): void {
    const state = this.#states.get(kind) ?? { isAsked: false, isUnderWay: false, inRow: 0, listedAt: -Infinity };
    this.#states.set(kind, state);
    state.isAsked = true;
    if (state.isUnderWay) return;
    if (performance.now() - state.listedAt >= this.#mostPauseMs) state.inRow = 0;
    void this.#refresh(kind, state);
  }

  async #refresh(kind: Kind, state: { isAsked: boolean; isUnderWay: boolean; inRow: number; listedAt: number }) {
    state.isUnderWay = true;
    while (state.isAsked) {
      const pauses = state.inRow++ - freeRefreshes;
      if (pauses >= 0) await sleep(Math.min(this.#pauseMs * 2 ** pauses, this.#mostPauseMs), undefined, { ref: false });
      state.isAsked = false;
      await this.#list(kind);
      state.listedAt = performance.now();
    }
    state.isUnderWay = false;
  }
}
