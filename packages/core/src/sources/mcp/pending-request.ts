import { LunaError } from '../../errors/index.ts';
import type { CallClient, Cancellation, ToolProgress } from '../../tools/index.ts';
import type { AnswerReceiver } from './http-post.ts';

/** A call in the shape that sources get is one of these. */
export interface WireRequestOptions {
  readonly signal: AbortSignal;
  readonly cancellation?: Cancellation | undefined;
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
  /** On whose behalf: what the server asks and tells meanwhile is for this client. */
  readonly client?: CallClient | undefined;
  openQuestions?: number;
  /** Goes with the request over HTTP. */
  readonly requestId?: string | undefined;
}

/** One request under way: settled once, by whatever comes first. */
export class PendingRequest implements AnswerReceiver {
  readonly options: WireRequestOptions;
  end: (() => void) | undefined;
  cancel: ((reason: unknown) => void) | undefined;
  take: ((answer: unknown) => void) | undefined;
  readonly #cancellation: Cancellation;
  readonly #resolve: (result: Record<string, unknown>) => void;
  readonly #reject: (error: unknown) => void;
  #settled = false;

  constructor(
    options: WireRequestOptions,
    cancellation: Cancellation,
    resolve: (result: Record<string, unknown>) => void,
    reject: (error: unknown) => void,
  ) {
    this.options = options;
    this.#cancellation = cancellation;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get isWaiting(): boolean {
    return !this.#settled;
  }

  deliver(answer: unknown): void {
    this.take?.(answer);
  }

  /** Over HTTP a complete answer without our response is an answer that never comes. */
  ended(error?: unknown): void {
    if (!this.#settled) this.reject(error ?? unanswered());
  }

  resolve(result: Record<string, unknown>): void {
    if (this.#settle()) this.#resolve(result);
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.cancel) this.#cancellation.offCancel(this.cancel);
    this.end?.();
    return true;
  }
}

export function withdrawn(reason: unknown): LunaError {
  return new LunaError('cancelled', 'The request was cancelled.', { cause: reason });
}

function unanswered(): LunaError {
  return new LunaError(
    'source_unavailable',
    'The server ended its answer without a response. Whether the call took effect is not known.',
    { details: { outcome: 'unknown' } },
  );
}
