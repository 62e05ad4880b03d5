/** How long the answer that somebody is there may take, in milliseconds. */
const pongLimitMs = 1_000;

/** Asks a worker or a process, which may be kept busy, whether it is there. */
export class Pulse {
  readonly #ping: () => void;
  #onPong: (() => void) | undefined;

  /** `ping` sends the question. */
  constructor(ping: () => void) {
    this.#ping = ping;
  }

  /** Whether an answer is being waited for. */
  get isAsking(): boolean {
    return this.#onPong !== undefined;
  }

  /** Whether it answers within a second. */
  async answers(): Promise<boolean> {
    const answered = await new Promise<boolean>((settle) => {
      const timer = setTimeout(() => settle(false), pongLimitMs);
      this.#onPong = () => {
        clearTimeout(timer);
        settle(true);
      };
      this.#ping();
    });
    this.#onPong = undefined;
    return answered;
  }

  /** The answer has come. */
  pong(): void {
    this.#onPong?.();
  }
}
