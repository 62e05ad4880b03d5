import { LunaError } from '../../errors/index.ts';
import type { CallClient, Cancellation, ToolProgress } from '../../tools/index.ts';
import type { AnswerReceiver, SentPost } from './http-post.ts';

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
  /** An answer that is nested too deep is cut, because most of it is of use; otherwise the request fails. */
  readonly cutsDeepAnswer?: boolean;
  /** See `SourceCall.answerLength`. */
  answerLength?: number | undefined;
}

/** Whose requests these are. */
export interface PendingOwner {
  /** Gets each message of the answer of a request over HTTP, and how many characters of JSON it was parsed from. */
  take(message: unknown, request: PendingRequest, length: number): void;
  /** The caller wants no answer any more. */
  withdrawn(request: PendingRequest): void;
  /** Called once per request, whatever its end. */
  ended(request: PendingRequest): void;
}

/** One request under way: settled once, by whatever comes first. There is one for each call, and it is all that there is. */
export class PendingRequest implements AnswerReceiver {
  readonly options: WireRequestOptions;
  /** Given by {@link PendingRequests}. */
  id = 0;
  /** What was sent over HTTP. */
  sent: SentPost | undefined;
  readonly #owner: PendingOwner;
  readonly #cancellation: Cancellation;
  readonly #resolve: (result: Record<string, unknown>) => void;
  readonly #reject: (error: unknown) => void;
  #settled = false;

  constructor(
    owner: PendingOwner,
    { options, cancellation }: { options: WireRequestOptions; cancellation: Cancellation },
    resolve: (result: Record<string, unknown>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#owner = owner;
    this.options = options;
    this.#cancellation = cancellation;
    this.#resolve = resolve;
    this.#reject = reject;
    cancellation.onCancel(this);
  }

  get isWaiting(): boolean {
    return !this.#settled;
  }

  deliver(answer: unknown, length: number): void {
    this.#owner.take(answer, this, length);
  }

  cancelled(reason: unknown): void {
    this.reject(withdrawn(reason));
    this.#owner.withdrawn(this);
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
    this.#cancellation.offCancel(this);
    this.#owner.ended(this);
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
