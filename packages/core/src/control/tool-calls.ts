import type { ConfigStore, HomePaths } from '../config/index.ts';
import {
  type Caller,
  type CallRecord,
  idempotency,
  inTurn,
  KeptResults,
  record,
  resultLimit,
  schemaReview,
  type TimeoutLimits,
  ToolPipeline,
  ToolRegistry,
  timeout,
} from '../tools/index.ts';
import { resultLimitOf, timeLimitsOf } from './call-limits.ts';
import { CallsUnderWay } from './calls-under-way.ts';
import { PinnedTools } from './pinned-tools.ts';
import type { Pins } from './pins-file.ts';

export interface ToolCallsOptions {
  readonly paths: HomePaths;
  readonly config: ConfigStore;
  readonly pins: Pins;
  readonly callLimits: TimeoutLimits | undefined;
  /** After a call of a tool ended. */
  readonly onCall: (call: CallRecord) => void;
  /** After a result was cut for this caller. */
  readonly onCut: (caller: Caller) => void;
  /** After a tool began to wait for a decision, or no longer waits. */
  readonly onWaiting: () => void;
  readonly onLog: (from: string, line: string) => void;
}

/** The tools of one Luna, what each of them is looked at for, and what every call goes through. */
export interface ToolCalls {
  readonly registry: ToolRegistry;
  readonly pinnedTools: PinnedTools;
  readonly pipeline: ToolPipeline;
  /** The rest of results that were cut. */
  readonly results: KeptResults;
  readonly callsUnderWay: CallsUnderWay;
}

/** A registry without sources, and the pipeline in front of it. */
export function lunaToolCalls(options: ToolCallsOptions): ToolCalls {
  const { paths, config, pins, callLimits, onCall, onCut, onWaiting, onLog } = options;
  const pinnedTools = new PinnedTools(
    {
      file: paths.pinnedTools,
      config: () => config.config,
      onDecided: (server) => registry.reviewAgain(server),
      onWaiting,
      onError: (message) => onLog('pinned-tools', message),
    },
    pins,
  );
  const registry: ToolRegistry = new ToolRegistry(inTurn(schemaReview(), pinnedTools.review));
  const results = new KeptResults({ folder: paths.results });
  const callsUnderWay = new CallsUnderWay();
  const pipeline = new ToolPipeline(registry)
    .use(callsUnderWay.begin)
    .use(
      record((call) => {
        callsUnderWay.end();
        onCall(call);
      }),
    )
    .use(idempotency())
    .use(
      resultLimit({
        limitFor: (call) => resultLimitOf(call, config.config),
        results,
        onCut,
      }),
    )
    .use(timeout((call) => timeLimitsOf(call, config.config, callLimits)));
  return { registry, pinnedTools, pipeline, results, callsUnderWay };
}
