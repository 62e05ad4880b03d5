import { LunaError, toLunaError } from '../errors/index.ts';
import type { CallClient, SourceCall, ToolProgress } from './call.ts';
import { Cancellation } from './cancellation.ts';
import { CountedIds } from './counted-ids.ts';
import { withOutcome, withoutSecrets } from './outcome.ts';
import type { HeldBackTool, RegisteredTool, ToolRegistry } from './registry.ts';
import type { ToolResult } from './result.ts';
import type { Selection } from './selection.ts';
import type { ToolArguments } from './tool.ts';

/** Who makes a call. */
export interface Caller {
  /** The face that it comes through: `hub`, `api`, `cli`, `agent`, `schedule`, or a word of one's own. */
  readonly kind: string;
  /** The name of that hub, agent, … */
  readonly name?: string;
}

/** A call as somebody asks for it. */
export interface ToolCallRequest {
  readonly name: string;
  readonly args?: ToolArguments;
  readonly caller: Caller;
  /** What the caller may call. Left out: every tool. */
  readonly selection?: Selection;
  readonly signal?: AbortSignal | undefined;
  /** Instead of a signal, where calls are many. */
  readonly cancellation?: Cancellation | undefined;
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
  /** See {@link SourceCall.client}. */
  readonly client?: CallClient | undefined;
  /** See {@link SourceCall.requestId}. */
  readonly requestId?: string | undefined;
  /** See {@link SourceCall.retry}. */
  readonly retry?: Readonly<Record<string, unknown>> | undefined;
}

/** A call on its way through the middleware. Middleware may replace `args` and `onProgress`, and cancel it. */
export interface ToolCall extends SourceCall {
  readonly id: string;
  readonly tool: RegisteredTool;
  readonly caller: Caller;
  args: ToolArguments;
  readonly cancellation: Cancellation;
  onProgress: ((progress: ToolProgress) => void) | undefined;
}

/** One rule that calls pass. It may look, change, refuse by throwing, or wait; `next()` goes on to the tool. */
export type Middleware = (call: ToolCall, next: () => Promise<ToolResult>) => Promise<ToolResult>;

/**
 * The chain that every tool call passes, whoever makes it. Middleware runs in the order of {@link use}, outermost
 * first; at the end the tool's source is called.
 */
export class ToolPipeline {
  readonly #registry: ToolRegistry;
  readonly #middleware: Middleware[] = [];
  readonly #ids = new CountedIds();

  constructor(registry: ToolRegistry) {
    this.#registry = registry;
  }

  use(middleware: Middleware): this {
    this.#middleware.push(middleware);
    return this;
  }

  /**
   * Calls a tool. Throws `tool_not_found` when there is no tool of this name or the selection does not hold it
   * (the two are not told apart, so that a caller learns nothing about tools that it may not see), and whatever
   * middleware or source throw, with `details.outcome`. A tool that is held back is `needs_approval`, with the reason.
   */
  call(request: ToolCallRequest): Promise<ToolResult> {
    const tool = this.#registry.get(request.name);
    if (!tool || (request.selection && !request.selection(tool))) return Promise.reject(this.#unknown(request, tool));
    return this.#run(new Call(tool, request, this.#ids), 0).catch((thrown) => {
      throw withOutcome(withoutSecrets(toLunaError(thrown), request.args), request.requestId);
    });
  }

  #unknown({ name, selection }: ToolCallRequest, tool: RegisteredTool | undefined): LunaError {
    const held = tool ? undefined : this.#registry.getHeldBack(name);
    if (held && (selection?.(held) ?? true)) return heldBackError(held);
    return new LunaError('tool_not_found', `Unknown tool: ${name}`, { details: { tool: name } });
  }

  #run(call: ToolCall, index: number): Promise<ToolResult> {
    try {
      const middleware = this.#middleware[index];
      if (middleware) return middleware(call, () => this.#run(call, index + 1));
      return call.tool.source.call(call.tool.tool.name, call.args, call);
    } catch (thrown) {
      // Whoever throws before it returns a promise is treated as one that rejects.
      return Promise.reject(thrown);
    }
  }
}

/** Who may see the tool is told why it is not there. */
function heldBackError({ name, reason }: HeldBackTool): LunaError {
  return new LunaError('needs_approval', `The tool "${name}" cannot be called now: ${reason}`, {
    details: { tool: name },
  });
}

class Call implements ToolCall {
  readonly tool: RegisteredTool;
  readonly caller: Caller;
  readonly cancellation: Cancellation;
  readonly meta: ToolCallRequest['meta'];
  readonly client: ToolCallRequest['client'];
  readonly retry: ToolCallRequest['retry'];
  readonly requestId: string | undefined;
  args: ToolArguments;
  onProgress: ToolCallRequest['onProgress'];
  openQuestions = 0;
  answerLength: number | undefined;
  readonly #ids: CountedIds;
  #id: string | undefined;

  constructor(tool: RegisteredTool, request: ToolCallRequest, ids: CountedIds) {
    this.tool = tool;
    this.#ids = ids;
    this.caller = request.caller;
    this.cancellation = request.cancellation ?? (request.signal ? Cancellation.of(request.signal) : new Cancellation());
    this.meta = request.meta;
    this.client = request.client;
    this.retry = request.retry;
    this.requestId = request.requestId;
    this.args = request.args ?? {};
    this.onProgress = request.onProgress;
  }

  get id(): string {
    this.#id ??= this.#ids.next();
    return this.#id;
  }

  get signal(): AbortSignal {
    return this.cancellation.signal;
  }
}
