export { BuiltInSource } from './built-in-source.ts';
export type { AskOptions, CallClient, McpObject, SourceCall, ToolProgress } from './call.ts';
export { type CancelListener, Cancellation } from './cancellation.ts';
export { argumentCheck } from './check-arguments.ts';
export { CountedIds } from './counted-ids.ts';
export { defineTool, type ToolContext, type ToolDefinition, type ToolExample, type ToolSchema } from './define-tool.ts';
export {
  type DefinitionDifference,
  definitionDifferences,
  definitionDigest,
  definitionOf,
  type StatedDefinition,
} from './definition.ts';
export { PatternJudge, type PatternSession } from './hostile-pattern.ts';
export {
  type FoundPlace,
  KeptResults,
  type KeptResultsOptions,
  type ResultPart,
  resultOwner,
  resultReaderName,
} from './kept-results.ts';
export { type IdempotencyOptions, idempotency, idempotencyKeyName } from './middleware/idempotency.ts';
export { type CallRecord, record } from './middleware/record.ts';
export { type ResultLimitOptions, resultLimit } from './middleware/result-limit.ts';
export { type TimeoutLimits, timeout } from './middleware/timeout.ts';
export { legalName, maxToolNameLength, nameTools, qualifiedName, type ToolOrigin } from './naming.ts';
export { type CallOutcome, outcomeOf } from './outcome.ts';
export { headerText, paramHeaderMismatch, paramHeadersOf, paramHeaderValues } from './param-headers.ts';
export type { McpPeer, PeerListKind, PeerNotification } from './peer.ts';
export { type Caller, type Middleware, type ToolCall, type ToolCallRequest, ToolPipeline } from './pipeline.ts';
export { type HeldBackTool, type RegisteredTool, ToolRegistry } from './registry.ts';
export { type ContentBlock, errorResult, type ToolResult, textResult, toToolResult } from './result.ts';
export { ResultReader } from './result-reader.ts';
export { inTurn, type ReviewedTool, type ToolReview } from './review.ts';
export { lintTool, maxToolDepth, schemaReview } from './schema-lint.ts';
export { everyTool, type Selection, selectionOf } from './selection.ts';
export type { SourceHealth, SourceStatus, ToolSource } from './source.ts';
export type { JsonSchema, Tool, ToolAnnotations, ToolArguments } from './tool.ts';
export { cutBelow, isDeeperThan, overLimit } from './value-limits.ts';
