import { type Client, SdkHttpError } from '@modelcontextprotocol/client';
import { messageOf } from '../../errors/index.ts';

/** How long a server may take to answer a question whether it is there, in ms. */
export const probeLimitMs = 10_000;

/** The time between two probes of a silent HTTP server, in ms. */
const probeEveryMs = 30_000;

export interface LivenessOptions {
  readonly client: Client;
  /** The server speaks 2026-07-28, which has no ping. */
  readonly isModern: boolean;
  /** There is no connection that could break while nobody calls: ask now and then. */
  readonly asksBySelf: boolean;
  /** The server is there, and has forgotten this connection. */
  readonly onRefused: (reason: string) => void;
  readonly onGone: (reason: string) => void;
}

/** Finds out whether a server is still there. */
export class Liveness {
  readonly #options: LivenessOptions;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> | undefined;
  #over = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    if (options.asksBySelf) this.#askLater();
  }

  /** Settles when the server has answered, or the owner has heard that it has not. */
  async ask(): Promise<void> {
    if (this.#over) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #askLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.ask(), probeEveryMs).unref();
  }

  async #ask(): Promise<void> {
    const { client, isModern, asksBySelf, onRefused, onGone } = this.#options;
    try {
      if (isModern) await client.discover({ timeout: probeLimitMs });
      else await client.ping({ timeout: probeLimitMs });
    } catch (thrown) {
      if (this.#over) return;
      const reason = `The server does not answer: ${messageOf(thrown)}`;
      // One that refuses is there: it may have forgotten the session, and still finish what it has begun.
      if (thrown instanceof SdkHttpError) return onRefused(reason);
      if (!isAnswer(thrown)) return onGone(reason);
    }
    if (!this.#over && asksBySelf) this.#askLater();
  }
}

/** An error that a living server sent, such as "method not found" for a ping. */
function isAnswer(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'number';
}
