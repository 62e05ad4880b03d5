import {
  everyTool,
  type Selection,
  type ToolArguments,
  ToolPipeline,
  type ToolProgress,
  type ToolRegistry,
  type ToolResult,
} from '../tools/index.ts';
import { ToolList } from './tool-list.ts';

export interface McpHubOptions {
  /** The name of the hub; callers in records are named by it. */
  readonly name: string;
  readonly registry: ToolRegistry;
  /** What each call passes. Default: nothing but the way to the source. */
  readonly pipeline?: ToolPipeline;
  /** What the hub shows and lets call. Default: everything. */
  readonly selection?: Selection;
  /** What clients are told of the server. Default: `luna` with the name of the hub. */
  readonly serverInfo?: { readonly name: string; readonly version: string; readonly title?: string };
  /** Advice for the client's model. */
  readonly instructions?: string;
  /** Tools per page of a list. Default 2,000: many clients read only the first page. */
  readonly pageSize?: number;
}

/** What is known of one call beside its name and arguments. */
export interface HubCall {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ToolProgress) => void;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/**
 * A named MCP server over a registry, seen through a selection. This object knows the protocol's features, not its
 * transports: see {@link HubHttp}.
 */
export class McpHub {
  readonly name: string;
  readonly serverInfo: { readonly name: string; readonly version: string; readonly title?: string };
  readonly instructions: string | undefined;
  readonly #registry: ToolRegistry;
  readonly #pipeline: ToolPipeline;
  readonly #pageSize: number;
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: () => void;
  #selection: Selection;
  #list: ToolList;
  #announcing: NodeJS.Immediate | undefined;
  #announced: string;

  constructor(options: McpHubOptions) {
    this.name = options.name;
    this.serverInfo = options.serverInfo ?? { name: `luna-${options.name}`, version: '0.1.0' };
    this.instructions = options.instructions;
    this.#registry = options.registry;
    this.#pipeline = options.pipeline ?? new ToolPipeline(options.registry);
    this.#pageSize = options.pageSize ?? 2_000;
    this.#selection = options.selection ?? everyTool;
    this.#list = new ToolList(this.#registry.tools(), this.#selection, this.#pageSize);
    this.#announced = this.#list.fingerprint;
    this.#unwatch = this.#registry.onChange(() => this.#refresh());
  }

  /** The tools as clients see them now. */
  get tools(): ToolList {
    return this.#list;
  }

  /** Another selection takes effect at once, for lists and for calls. */
  select(selection: Selection): void {
    this.#selection = selection;
    this.#refresh();
  }

  /** Calls a tool by the name that the list shows. Throws as `ToolPipeline.call` does. */
  callTool(name: string, args: ToolArguments | undefined, call: HubCall = {}): Promise<ToolResult> {
    return this.#pipeline.call({
      name,
      args,
      caller: { kind: 'hub', name: this.name },
      selection: this.#selection,
      ...call,
    });
  }

  /** Calls the listener after the tools that clients see have changed, once for changes at one time. */
  onToolsChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets go of the registry. */
  close(): void {
    this.#unwatch();
    clearImmediate(this.#announcing);
    this.#listeners.clear();
  }

  #refresh(): void {
    this.#list = new ToolList(this.#registry.tools(), this.#selection, this.#pageSize);
    // The look of a long list is compared once per burst of changes, not once per change.
    this.#announcing ??= setImmediate(() => {
      this.#announcing = undefined;
      if (this.#list.fingerprint === this.#announced) return;
      this.#announced = this.#list.fingerprint;
      for (const listener of this.#listeners) listener();
    });
  }
}
