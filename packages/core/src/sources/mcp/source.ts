import { LunaError, messageOf } from '../../errors/index.ts';
import type { SourceCall, SourceHealth, Tool, ToolArguments, ToolResult, ToolSource } from '../../tools/index.ts';
import type { McpConnection } from './connection.ts';
import { LastingConnection } from './lasting-connection.ts';
import { ListRefreshes } from './list-refreshes.ts';
import { type ListKind, peerListsOf } from './lists.ts';
import { SourcePeer } from './peer.ts';
import type { McpSourceOptions } from './source-options.ts';
import { withoutTaskSupport } from './task-call.ts';

/**
 * The tools of one MCP server, local (a command over stdio) or remote (streamable HTTP or SSE), over one lasting
 * connection that everybody shares. A lost connection is made again by itself; meanwhile the tools stay listed and
 * calls fail at once.
 */
export class McpSource implements ToolSource {
  readonly id: string;
  readonly kind = 'mcp';
  readonly title: string | undefined;
  readonly peer: SourcePeer;
  readonly #options: McpSourceOptions;
  readonly #lasting: LastingConnection;
  readonly #refreshes = new ListRefreshes((kind: ListKind) => this.#refresh(kind));
  readonly #listeners = new Set<() => void>();
  #tools: readonly Tool[] = [];
  #byName = new Map<string, Tool>();

  constructor(options: McpSourceOptions) {
    this.#options = options;
    this.id = options.id;
    this.title = options.title;
    this.peer = new SourcePeer({
      request: (method, params, call) => this.#lasting.send((connection) => connection.request(method, params, call)),
      onLog: (line) => options.onLog?.(line),
    });
    this.#lasting = new LastingConnection(options, {
      peer: this.peer,
      onConnected: (connection, { tools, lists }) => {
        this.#take(tools);
        this.peer.connected(connection, lists);
      },
      onListChanged: (kind) => this.#refreshes.ask(kind),
      onHealth: () => this.#tellChange(),
    });
  }

  list(): readonly Tool[] {
    return this.#tools;
  }

  health(): SourceHealth {
    return this.#lasting.health();
  }

  /** What was agreed with the server, while connected. */
  get agreement():
    | { protocolVersion: string; transport: 'stdio' | 'http' | 'sse'; server?: { name: string; version: string } }
    | undefined {
    const connection = this.#lasting.current;
    if (!connection) return undefined;
    return {
      protocolVersion: connection.agreement.protocolVersion,
      transport: connection.transportKind,
      server: connection.serverInfo,
    };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): Promise<void> {
    return this.#lasting.start();
  }

  /** Connects now instead of later, after a person has set right what kept the server away. */
  retry(): Promise<void> {
    return this.#lasting.retry();
  }

  /** Leaves the connection, whatever is under way on it, and makes another. */
  reconnect(): Promise<void> {
    return this.#lasting.reconnect();
  }

  /**
   * Asks the server whether it is there, or tries to reach it where it is down; {@link health} then knows. Throws
   * `timeout` when it has not answered after the limit of all probes, 10 seconds.
   */
  test(): Promise<void> {
    return this.#lasting.test();
  }

  call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    const tool = this.#byName.get(name);
    if (!tool) return Promise.reject(new LunaError('tool_not_found', `The server "${this.id}" has no tool "${name}".`));
    return this.#lasting.send((connection) => connection.callTool(tool, args, call));
  }

  close(): Promise<void> {
    return this.#lasting.close();
  }

  async #refresh(kind: ListKind): Promise<void> {
    const connection = this.#lasting.current;
    if (!connection) return;
    try {
      const changed =
        kind === 'tools' ? await this.#refreshTools(connection) : await this.#refreshPeer(connection, kind);
      if (changed) this.#tellChange();
    } catch (thrown) {
      this.#options.onLog?.(`Cannot list the ${kind} of ${this.id} anew: ${messageOf(thrown)}`);
    }
  }

  async #refreshTools(connection: McpConnection): Promise<boolean> {
    const tools = await connection.listTools();
    return connection === this.#lasting.current && this.#take(tools);
  }

  async #refreshPeer(connection: McpConnection, kind: 'resources' | 'prompts'): Promise<boolean> {
    const kinds = kind === 'prompts' ? (['prompts'] as const) : (['resources', 'resourceTemplates'] as const);
    const lists = await peerListsOf(connection, kinds);
    return connection === this.#lasting.current && this.peer.take(lists);
  }

  /** Keeps the former list where nothing changed, so that nobody is told of a change. */
  #take(tools: Tool[]): boolean {
    const listed = tools.map(withoutTaskSupport);
    this.#byName = new Map(tools.map((tool) => [tool.name, tool]));
    if (JSON.stringify(listed) === JSON.stringify(this.#tools)) return false;
    this.#tools = listed;
    return true;
  }

  #tellChange(): void {
    for (const listener of this.#listeners) listener();
  }
}
