import { type LunaErrorCode, toLunaError } from '../../errors/index.ts';
import { withoutSecrets } from '../outcome.ts';
import type { Caller, Middleware, ToolCall } from '../pipeline.ts';

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
    const began = { at: Date.now(), tick: performance.now() };
    return next().then(
      (result) => {
        write(recordOf(call, began, result.isError === true ? 'tool_error' : 'ok'));
        return result;
      },
      (thrown) => {
        // Sources quote what they were given.
        const { code, message } = withoutSecrets(toLunaError(thrown), call.args);
        write({ ...recordOf(call, began, 'error'), errorCode: code, errorMessage: message });
        throw thrown;
      },
    );
  };
}

function recordOf(
  call: ToolCall,
  began: { readonly at: number; readonly tick: number },
  outcome: CallRecord['outcome'],
): CallRecord {
  const { id, tool, caller, requestId } = call;
  const durationMs = Math.round((performance.now() - began.tick) * 1000) / 1000;
  const record = { id, tool: tool.name, source: tool.source.id, caller, startedAt: began.at, durationMs, outcome };
  return requestId === undefined ? record : { ...record, requestId };
}
