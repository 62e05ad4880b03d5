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
      const expire = (limitMs: number, kind: string) => {
        const error = new LunaError(
          'timeout',
          `The tool "${call.tool.name}" did not answer within ${limitMs} ms (${kind} limit).`,
          { details: { tool: call.tool.name, limitMs } },
        );
        controller.abort(error);
        reject(error);
      };
      const outer = call.signal;
      const cancel = () => {
        controller.abort(outer.reason);
        reject(new LunaError('cancelled', `The call of "${call.tool.name}" was cancelled.`, { cause: outer.reason }));
      };
      const idle = setTimeout(() => expire(limits.idleMs, 'idle'), limits.idleMs);
      const absolute = setTimeout(() => expire(limits.absoluteMs, 'absolute'), limits.absoluteMs);
      if (outer.aborted) cancel();
      else outer.addEventListener('abort', cancel, { once: true });

      const report = call.onProgress;
      call.signal = controller.signal;
      call.onProgress = (progress) => {
        idle.refresh();
        report?.(progress);
      };
      next()
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(idle);
          clearTimeout(absolute);
          outer.removeEventListener('abort', cancel);
        });
    });
  };
}
