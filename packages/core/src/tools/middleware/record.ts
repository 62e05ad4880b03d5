import { type LunaErrorCode, toLunaError } from '../../errors/index.ts';
import { withoutSecrets } from '../outcome.ts';
import type { Caller, Middleware } from '../pipeline.ts';

/** What is known of a call after it ended. Arguments and results are not part of it: they may hold secrets. */
export interface CallRecord {
  readonly id: string;
  readonly tool: string;
  readonly source: string;
  readonly caller: Caller;
  /** Of the request that the call came with, where it has one. */
  readonly requestId?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** `ok`: a result. `tool_error`: a result that says that the tool failed. `error`: no result. */
  readonly outcome: 'ok' | 'tool_error' | 'error';
  readonly errorCode?: LunaErrorCode;
  readonly errorMessage?: string;
}

/** Tells of every call once it has ended, whatever its end. */
export function record(write: (call: CallRecord) => void): Middleware {
  return (call, next) => {
    const startedAt = Date.now();
    const started = performance.now();
    const ended = (rest: Pick<CallRecord, 'outcome' | 'errorCode' | 'errorMessage'>) =>
      write({
        id: call.id,
        tool: call.tool.name,
        source: call.tool.source.id,
        caller: call.caller,
        ...(call.requestId !== undefined && { requestId: call.requestId }),
        startedAt,
        durationMs: Math.round((performance.now() - started) * 1000) / 1000,
        ...rest,
      });
    return next().then(
      (result) => {
        ended({ outcome: result.isError === true ? 'tool_error' : 'ok' });
        return result;
      },
      (thrown) => {
        // Sources quote what they were given.
        const error = withoutSecrets(toLunaError(thrown), call.args);
        ended({ outcome: 'error', errorCode: error.code, errorMessage: error.message });
        throw thrown;
      },
    );
  };
}
