import { randomUUID } from 'node:crypto';
import { LunaError } from '../errors/index.ts';
import type { McpObject } from '../tools/index.ts';
import { ModernCall, type TellClient } from './modern-call.ts';

/** How long the answer to a question is waited for, in milliseconds, and how many calls wait at most. */
const limits = { waitMs: 10 * 60_000, count: 1_000 };
const mark = 'luna:';

/** Calls that wait for their client to come back with an answer. */
export class SuspendedCalls {
  readonly #calls = new Map<string, { call: ModernCall; owner: string; timer: NodeJS.Timeout }>();

  /**
   * Carries a request on to its result, or to the next question. `work` is started when the request is a new one.
   * Throws `invalid_input` when the answer comes for a call that does not wait (any more).
   */
  async run(request: {
    readonly owner: string;
    readonly meta: McpObject | undefined;
    readonly inputResponses?: unknown;
    readonly requestState?: unknown;
    readonly requestId?: string | undefined;
    readonly tell?: TellClient | undefined;
    /** Calls back when the client has gone. */
    readonly onGone: (listener: () => void) => void;
    readonly work: (call: ModernCall) => Promise<McpObject>;
  }): Promise<McpObject> {
    const { owner, meta, inputResponses, requestState, requestId, tell, work } = request;
    const isOurs = typeof requestState === 'string' && requestState.startsWith(mark);
    const call = isOurs
      ? this.#take(requestState, owner)
      : new ModernCall(meta, retryOf(inputResponses, requestState), requestId);
    request.onGone(() => {
      if (call.isWaiting) call.cancellation.cancel(new Error('The client closed the connection.'));
    });
    if (isOurs) call.answered(inputResponses);
    // Listens before the work begins, which may have something to say at once.
    const next = call.next(tell);
    if (!isOurs) call.start(work(call));
    const result = await next;
    // A server's own questions come with the server's own state; ours wait here.
    if (result.resultType !== 'input_required' || !call.hasQuestions) return result;
    return { ...result, requestState: this.#keep(call, owner) };
  }

  close(): void {
    for (const { call, timer } of this.#calls.values()) {
      clearTimeout(timer);
      call.cancellation.cancel(new Error('The hub was closed.'));
    }
    this.#calls.clear();
  }

  #keep(call: ModernCall, owner: string): string {
    const state = `${mark}${randomUUID()}`;
    const timer = setTimeout(() => this.#forget(state), limits.waitMs).unref();
    this.#calls.set(state, { call, owner, timer });
    const [oldest] = this.#calls.keys();
    if (this.#calls.size > limits.count && oldest !== undefined) this.#forget(oldest);
    return state;
  }

  #take(state: string, owner: string): ModernCall {
    const kept = this.#calls.get(state);
    if (kept?.owner !== owner)
      throw new LunaError(
        'invalid_input',
        'The request that this answers has ended. Send it anew, without requestState.',
      );
    clearTimeout(kept.timer);
    this.#calls.delete(state);
    return kept.call;
  }

  #forget(state: string): void {
    const kept = this.#calls.get(state);
    this.#calls.delete(state);
    clearTimeout(kept?.timer);
    kept?.call.cancellation.cancel(new Error('The client did not come back with an answer.'));
  }
}

function retryOf(inputResponses: unknown, requestState: unknown): McpObject | undefined {
  if (inputResponses === undefined && requestState === undefined) return undefined;
  return {
    ...(inputResponses !== undefined && { inputResponses }),
    ...(requestState !== undefined && { requestState }),
  };
}
