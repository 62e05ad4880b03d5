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
      const controller = new AbortController();
      const { signal: outer, onProgress: report } = call;
      const end = (error: LunaError) => {
        controller.abort(error);
        reject(error);
      };
      const cancel = () =>
        end(new LunaError('cancelled', `The call of "${call.tool.name}" was cancelled.`, { cause: outer.reason }));
      if (outer.aborted) return cancel();
      outer.addEventListener('abort', cancel, { once: true });
      const watch = watchTime(limits, (limitMs, kind) => end(expired(call, limitMs, kind)));

      call.signal = controller.signal;
      call.onProgress = (progress) => {
        watch.heard();
        report?.(progress);
      };
      next()
        .then(resolve, reject)
        .finally(() => {
          watch.stop();
          outer.removeEventListener('abort', cancel);
        });
    });
  };
}

function expired(call: ToolCall, limitMs: number, kind: string): LunaError {
  const { name } = call.tool;
  const message = `The tool "${name}" did not answer within ${limitMs} ms (${kind} limit).`;
  return new LunaError('timeout', message, { details: { tool: name, limitMs } });
}

/** One timer for both limits: when it fires it looks what has been heard since, and waits on if there is time left. */
function watchTime({ idleMs, absoluteMs }: TimeoutLimits, expire: (limitMs: number, kind: string) => void) {
  const started = performance.now();
  let heardAt = started;
  let timer = setTimeout(look, Math.min(idleMs, absoluteMs));
  function look() {
    const now = performance.now();
    const idleLeft = heardAt + idleMs - now;
    const absoluteLeft = started + absoluteMs - now;
    if (absoluteLeft <= 0) expire(absoluteMs, 'absolute');
    else if (idleLeft <= 0) expire(idleMs, 'idle');
    else timer = setTimeout(look, Math.max(1, Math.min(idleLeft, absoluteLeft)));
  }
  return {
    heard: () => {
      heardAt = performance.now();
    },
    stop: () => clearTimeout(timer),
  };
}
