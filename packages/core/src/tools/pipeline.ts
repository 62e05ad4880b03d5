import { randomUUID } from 'node:crypto';
import { LunaError } from '../errors/index.ts';
import type { RegisteredTool, ToolRegistry } from './registry.ts';
import type { ToolResult } from './result.ts';
import type { Selection } from './selection.ts';
import type { ToolProgress } from './source.ts';
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
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ToolProgress) => void;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** A call on its way through the middleware. Middleware may replace `args`, `signal` and `onProgress`. */
export interface ToolCall {
  readonly id: string;
  readonly tool: RegisteredTool;
  readonly caller: Caller;
  args: ToolArguments;
  signal: AbortSignal;
  onProgress: ((progress: ToolProgress) => void) | undefined;
  readonly meta: Readonly<Record<string, unknown>> | undefined;
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
   * middleware or source throw.
   */
  async call(request: ToolCallRequest): Promise<ToolResult> {
    const tool = this.#registry.get(request.name);
    if (!tool || (request.selection && !request.selection(tool))) {
      throw new LunaError('tool_not_found', `Unknown tool: ${request.name}`, { details: { tool: request.name } });
    }
    const call: ToolCall = {
      id: randomUUID(),
      tool,
      caller: request.caller,
      args: request.args ?? {},
      signal: request.signal ?? new AbortController().signal,
      onProgress: request.onProgress,
      meta: request.meta,
    };
    return this.#run(call, 0);
  }

  #run(call: ToolCall, index: number): Promise<ToolResult> {
    try {
      const middleware = this.#middleware[index];
      if (middleware) return middleware(call, () => this.#run(call, index + 1));
      const { signal, onProgress, meta } = call;
      return call.tool.source.call(call.tool.tool.name, call.args, { signal, onProgress, meta });
    } catch (thrown) {
      // Whoever throws before it returns a promise is treated as one that rejects.
      return Promise.reject(thrown);
    }
  }
}
