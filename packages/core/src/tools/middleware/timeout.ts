import { LunaError } from '../../errors/index.ts';
import type { Middleware, ToolCall } from '../pipeline.ts';

/** Limits on how long a call may take, in milliseconds. */
export interface TimeoutLimits {
  /** Longest silence: the time since the call began or since its last progress. */
  readonly idleMs: number;
  /** Longest time in all, whatever the progress. */
  readonly absoluteMs: number;
}

/**
 * Ends a call that goes over its limits: the source's signal is aborted and the caller gets `timeout`, even where
 * the source ignores the signal.
 */
export function timeout(limitsOf: TimeoutLimits | ((call: ToolCall) => TimeoutLimits)): Middleware {
  return (call, next) => {
    const limits = typeof limitsOf === 'function' ? limitsOf(call) : limitsOf;
    return new Promise((resolve, reject) => {
      const { cancellation } = call;
      if (cancellation.cancelled) return reject(withdrawn(call));
      const watch = new TimeWatch(call, limits);
      const end = () => {
        watch.stop();
        reject(watch.expired ?? withdrawn(call));
      };
      cancellation.onCancel(end);
      const settle = () => {
        watch.stop();
        cancellation.offCancel(end);
      };
      next().then(
        (result) => {
          settle();
          resolve(result);
        },
        (thrown) => {
          settle();
          reject(thrown);
        },
      );
    });
  };
}

function withdrawn({ tool, cancellation }: ToolCall): LunaError {
  return new LunaError('cancelled', `The call of "${tool.name}" was cancelled.`, { cause: cancellation.reason });
}

function expired(call: ToolCall, limitMs: number, kind: string): LunaError {
  const { name } = call.tool;
  const message = `The tool "${name}" did not answer within ${limitMs} ms (${kind} limit).`;
  return new LunaError('timeout', message, { details: { tool: name, limitMs } });
}

/** One timer for both limits: when it fires it looks what has been heard since, and waits on if there is time left. */
class TimeWatch {
  /** The error that the call ended with, when it was this watch that ended it. */
  expired: LunaError | undefined;
  readonly #call: ToolCall;
  readonly #limits: TimeoutLimits;
  readonly #started = performance.now();
  readonly #report: ToolCall['onProgress'];
  #heardAt = this.#started;
  #timer: NodeJS.Timeout;

  constructor(call: ToolCall, limits: TimeoutLimits) {
    this.#call = call;
    this.#limits = limits;
    this.#timer = setTimeout(look, Math.min(limits.idleMs, limits.absoluteMs), this);
    this.#report = call.onProgress;
    const hear: ToolCall['onProgress'] = (progress) => {
      this.#heardAt = performance.now();
      this.#report?.(progress);
    };
    call.onProgress = hear;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  look(): void {
    const now = performance.now();
    const { idleMs, absoluteMs } = this.#limits;
    if ((this.#call.openQuestions ?? 0) > 0) this.#heardAt = now;
    const idleLeft = this.#heardAt + idleMs - now;
    const absoluteLeft = this.#started + absoluteMs - now;
    if (absoluteLeft <= 0) this.#expire(absoluteMs, 'absolute');
    else if (idleLeft <= 0) this.#expire(idleMs, 'idle');
    else this.#timer = setTimeout(look, Math.max(1, Math.min(idleLeft, absoluteLeft)), this);
  }

  #expire(limitMs: number, kind: string): void {
    this.expired = expired(this.#call, limitMs, kind);
    this.#call.cancellation.cancel(this.expired);
  }
}

function look(watch: TimeWatch): void {
  watch.look();
}
