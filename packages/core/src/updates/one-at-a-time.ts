import { LunaError, messageOf } from '../errors/index.ts';

export interface OneAtATimeOptions {
  /** After something has come to its end. */
  readonly onChange?: () => void;
  /** Told why something failed that nobody waits for. */
  readonly onLog?: (line: string) => void;
}

/** What is done to extensions: one thing at a time, and nothing once Luna ends. */
export class OneAtATime {
  readonly #options: OneAtATimeOptions;
  readonly #closing = new AbortController();
  #busy: Promise<void> | undefined;
  /** Whether what keeps it busy has come to its end, and only tidies up. */
  #isEnding = false;

  constructor(options: OneAtATimeOptions) {
    this.#options = options;
  }

  /** Breaks off what is being done. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get isBusy(): boolean {
    return this.#busy !== undefined;
  }

  /** Waits until nothing is being done. */
  async idle(): Promise<void> {
    await this.#busy;
  }

  /** Begins; only after {@link assertIdle}. Settles at the end, also when it failed. */
  occupy(work: () => Promise<void>): Promise<void> {
    const busy = work()
      .catch((thrown: unknown) => this.#options.onLog?.(messageOf(thrown)))
      .finally(() => {
        this.#busy = undefined;
        this.#isEnding = false;
        this.#options.onChange?.();
      });
    this.#busy = busy;
    return busy;
  }

  /** What is being done has its outcome, and only tidies up. */
  ending(): void {
    this.#isEnding = true;
  }

  /** Who has seen the outcome may go on at once. */
  async ended(): Promise<void> {
    if (this.#isEnding) await this.#busy;
  }

  /** Throws `conflict` while something is being done, and once Luna ends. */
  assertIdle(): void {
    if (this.#busy) throw new LunaError('conflict', 'The queue is being applied. Wait until that is done.');
    if (this.#closing.signal.aborted) throw new LunaError('conflict', 'Luna is stopping.');
  }

  /** Breaks off what is being done, and waits for that. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#busy;
  }
}
