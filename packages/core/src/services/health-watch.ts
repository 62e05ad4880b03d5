import { whatIsWrong } from './health.ts';
import { now, type ServiceBook } from './service-book.ts';
import type { ServiceContext } from './service-context.ts';
import type { Turns } from './turns.ts';

/** So often in a row a health check fails before the service is started again. */
const failuresBeforeRestart = 2;
/** After a failed check the next one comes at the latest after this, in milliseconds. */
const secondLookMs = 5_000;

/** Asks again and again how a service is that is up, and writes it down. */
export class HealthWatch {
  readonly #context: () => ServiceContext;
  readonly #book: ServiceBook;
  readonly #turns: Turns;
  readonly #intervalMs: number;
  readonly #onUnwell: (reason: string) => void;
  #look: { readonly abort: AbortController; readonly timer: NodeJS.Timeout } | undefined;
  #failedChecks = 0;

  constructor(options: {
    readonly context: () => ServiceContext;
    readonly book: ServiceBook;
    readonly turns: Turns;
    /** How often it is asked, in milliseconds. */
    readonly intervalMs: number;
    /** It is so bad that the service should be started again. */
    readonly onUnwell: (reason: string) => void;
  }) {
    this.#context = options.context;
    this.#book = options.book;
    this.#turns = options.turns;
    this.#intervalMs = options.intervalMs;
    this.#onUnwell = options.onUnwell;
  }

  /** It is well now; the first question comes after one interval. */
  begin(): void {
    this.#failedChecks = 0;
    this.#lookLater(this.#intervalMs);
  }

  end(): void {
    clearTimeout(this.#look?.timer);
    this.#look?.abort.abort();
    this.#look = undefined;
  }

  #lookLater(afterMs: number): void {
    this.end();
    const abort = new AbortController();
    const timer = setTimeout(() => void this.#lookNow(abort), afterMs).unref();
    this.#look = { abort, timer };
  }

  async #lookNow(abort: AbortController): Promise<void> {
    if (this.#turns.isBusy) {
      this.#lookLater(this.#intervalMs);
      return;
    }
    const wrong = await whatIsWrong(this.#context(), abort.signal).catch(() => undefined);
    const isOver = () => abort.signal.aborted || this.#look?.abort !== abort;
    if (isOver()) return;
    const last_health_check = now();
    this.#failedChecks = wrong === undefined ? 0 : this.#failedChecks + 1;
    await this.#book.save(
      wrong === undefined
        ? { status: 'running', reason: undefined, last_health_check, last_healthy: last_health_check }
        : { status: 'unhealthy', reason: `It is not well: ${wrong}`, last_health_check },
    );
    if (isOver()) return;
    if (this.#failedChecks >= failuresBeforeRestart) this.#onUnwell(`It is not well: ${wrong}`);
    else this.#lookLater(wrong === undefined ? this.#intervalMs : Math.min(this.#intervalMs, secondLookMs));
  }
}
