import { LunaError } from '../errors/index.ts';
import type { Agent, AgentEnd } from './agent.ts';

/** The end of a turn from outside: its client went away, or it took too long. */
export class TurnEnding {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal | undefined;
  readonly #withdraw = () => this.#controller.abort(this.#outer?.reason);

  constructor(limitSeconds: number, agent: string, outer: AbortSignal | undefined) {
    const late = () =>
      this.#controller.abort(
        new LunaError(
          'timeout',
          `The agent "${agent}" did not come to an end within ${limitSeconds} s. Raise timeout_seconds in the limits of its preset if it needs longer.`,
        ),
      );
    this.#timer = setTimeout(late, Math.min(limitSeconds * 1000, 2 ** 31 - 1));
    this.#outer = outer;
    if (outer?.aborted) this.#withdraw();
    else outer?.addEventListener('abort', this.#withdraw, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  withdraw(reason: LunaError): void {
    this.#controller.abort(reason);
  }

  /** Waits for the agent, but not for one that does not hear the signal. */
  async race(run: () => ReturnType<Agent['run']>): Promise<AgentEnd | undefined> {
    const { signal } = this;
    let stop: (() => void) | undefined;
    const ended = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      signal.throwIfAborted();
      return (await Promise.race([run(), ended])) ?? undefined;
    } finally {
      if (stop) signal.removeEventListener('abort', stop);
    }
  }

  settle(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#withdraw);
    // Whatever the agent left running ends with its turn.
    this.#controller.abort();
  }
}
