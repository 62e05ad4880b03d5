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
  const fresh = new FreshWatches();
  return (call, next) => {
    if (call.cancellation.cancelled) return Promise.reject(withdrawn(call));
    const limits = typeof limitsOf === 'function' ? limitsOf(call) : limitsOf;
    return new Promise((resolve, reject) => {
      const watch = new TimeWatch(call, limits, fresh, reject);
      next().then(
        (result) => {
          watch.stop();
          resolve(result);
        },
        (thrown) => {
          watch.stop();
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

/** Nearly all calls end within this time, in milliseconds, and never have a timer of their own. */
const freshMs = 100;

/** The watches over calls that have just begun, oldest first: one timer looks after all of them. */
class FreshWatches {
  #first: TimeWatch | undefined;
  #last: TimeWatch | undefined;
  #timer: NodeJS.Timeout | undefined;

  add(watch: TimeWatch): void {
    watch.before = this.#last;
    if (this.#last) this.#last.after = watch;
    else this.#first = watch;
    this.#last = watch;
    if (!this.#timer) this.#timer = setTimeout(() => this.#look(), freshMs);
    else if (this.#first === watch) this.#timer.ref();
  }

  remove(watch: TimeWatch): void {
    const { before, after } = watch;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    watch.before = undefined;
    watch.after = undefined;
    // With no call under way the process may end.
    if (!this.#first) this.#timer?.unref();
  }

  /** Those that are no longer fresh get a timer each. */
  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    while (this.#first && now - this.#first.started >= freshMs / 2) {
      const watch = this.#first;
      this.remove(watch);
      watch.look();
    }
    if (this.#first) this.#timer = setTimeout(() => this.#look(), freshMs);
  }
}

/** Watches one call, and ends it when its time is over. One timer for both limits: it looks what has been heard since, and waits on. */
class TimeWatch {
  /** Its neighbours among the fresh ones. */
  before: TimeWatch | undefined;
  after: TimeWatch | undefined;
  readonly started = performance.now();
  readonly #call: ToolCall;
  readonly #limits: TimeoutLimits;
  readonly #reject: (thrown: unknown) => void;
  readonly #fresh: FreshWatches;
  readonly #report: ToolCall['onProgress'];
  #heardAt = this.started;
  #isFresh = false;
  #timer: NodeJS.Timeout | undefined;
  /** The error that the call ended with, when it was this watch that ended it. */
  #expired: LunaError | undefined;

  constructor(call: ToolCall, limits: TimeoutLimits, fresh: FreshWatches, reject: (thrown: unknown) => void) {
    this.#call = call;
    this.#limits = limits;
    this.#reject = reject;
    this.#fresh = fresh;
    this.#report = call.onProgress;
    call.onProgress = this.#hear;
    call.cancellation.onCancel(this);
    const firstMs = Math.min(limits.idleMs, limits.absoluteMs);
    if (firstMs >= 2 * freshMs) {
      this.#isFresh = true;
      fresh.add(this);
    } else this.#timer = setTimeout(look, firstMs, this);
  }

  cancelled(): void {
    this.stop();
    this.#reject(this.#expired ?? withdrawn(this.#call));
  }

  look(): void {
    this.#isFresh = false;
    const now = performance.now();
    const { idleMs, absoluteMs } = this.#limits;
    if ((this.#call.openQuestions ?? 0) > 0) this.#heardAt = now;
    const idleLeft = this.#heardAt + idleMs - now;
    const absoluteLeft = this.started + absoluteMs - now;
    if (absoluteLeft <= 0) this.#expire(absoluteMs, 'absolute');
    else if (idleLeft <= 0) this.#expire(idleMs, 'idle');
    else this.#timer = setTimeout(look, Math.max(1, Math.min(idleLeft, absoluteLeft)), this);
  }

  readonly #hear: ToolCall['onProgress'] = (progress) => {
    this.#heardAt = performance.now();
    this.#report?.(progress);
  };

  /** The call has ended. */
  stop(): void {
    this.#call.cancellation.offCancel(this);
    if (this.#isFresh) {
      this.#isFresh = false;
      this.#fresh.remove(this);
    } else clearTimeout(this.#timer);
  }

  #expire(limitMs: number, kind: string): void {
    this.#expired = expired(this.#call, limitMs, kind);
    this.#call.cancellation.cancel(this.#expired);
  }
}

function look(watch: TimeWatch): void {
  watch.look();
}
