import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError, messageOf, toLunaError } from '../../errors/index.ts';
import { afterFailure, noFailures } from '../../supervisor/index.ts';
import type {
  McpObject,
  PeerListKind,
  SourceCall,
  SourceHealth,
  Tool,
  ToolArguments,
  ToolResult,
  ToolSource,
} from '../../tools/index.ts';
import { openConnection } from './connect.ts';
import type { McpConnection } from './connection.ts';
import { SessionLostError } from './http-post.ts';
import { ListRefreshes } from './list-refreshes.ts';
import { probeLimitMs } from './liveness.ts';
import { SourcePeer } from './peer.ts';
import { type McpSourceOptions, resolvedTarget, restartPolicyOf } from './source-options.ts';
import { withoutTaskSupport } from './task-call.ts';
import { openWayOut, type WayOut } from './way-out.ts';

/** How long a call that failed on its way waits at most to learn whether the server is there, in milliseconds. */
const checkLimitMs = 500;

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
  readonly #refreshes = new ListRefreshes((kind: 'tools' | 'resources' | 'prompts') => this.#refresh(kind));
  readonly #options: McpSourceOptions;
  readonly #listeners = new Set<() => void>();
  /** Connections of former sessions on which calls are under way. */
  readonly #retired = new Set<McpConnection>();
  #connection: McpConnection | undefined;
  #renewal: Promise<void> | undefined;
  #opening: Promise<void> | undefined;
  #tools: readonly Tool[] = [];
  #byName = new Map<string, Tool>();
  #health: SourceHealth = { status: 'stopped' };
  #history = noFailures;
  #connectedAt = 0;
  #knownLegacy = false;
  #retry: NodeJS.Timeout | undefined;
  #closing = new AbortController();
  #wayOut: WayOut | undefined;
  #closed = true;

  constructor(options: McpSourceOptions) {
    this.#options = options;
    this.id = options.id;
    this.title = options.title;
    this.peer = new SourcePeer({
      request: (method, params, call) => this.#send((connection) => connection.request(method, params, call)),
      onLog: (line) => options.onLog?.(line),
    });
  }

  list(): readonly Tool[] {
    return this.#tools;
  }

  health(): SourceHealth {
    const pid = this.#connection?.pid;
    return pid === undefined ? this.#health : { ...this.#health, pid };
  }

  /** What was agreed with the server, while connected. */
  get agreement():
    | { protocolVersion: string; transport: 'stdio' | 'http' | 'sse'; server?: { name: string; version: string } }
    | undefined {
    const connection = this.#connection;
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

  async start(): Promise<void> {
    this.#closed = false;
    this.#closing = new AbortController();
    const { target, egress: policy, proxy, authorize } = this.#options;
    if (target.kind !== 'stdio') this.#wayOut = openWayOut(target.url, { policy, proxy, authorize });
    this.#history = noFailures;
    this.#set({ status: 'starting' });
    await this.#open();
  }

  /** Connects now instead of later, after a person has set right what kept the server away. */
  async retry(): Promise<void> {
    if (this.#closed) return;
    await this.#opening;
    if (this.#connection) return;
    this.#history = noFailures;
    await this.#open();
  }

  /** Leaves the connection, whatever is under way on it, and makes another. */
  async reconnect(): Promise<void> {
    await this.#opening;
    const former = this.#connection;
    this.#connection = undefined;
    this.peer.disconnected();
    await former?.close();
    await this.retry();
  }

  /**
   * Asks the server whether it is there, or tries to reach it where it is down; {@link health} then knows. Throws
   * `timeout` when it has not answered after the limit of all probes, 10 seconds.
   */
  async test(): Promise<void> {
    // A connection keeps the limit by itself; what is being connected may take longer.
    if (this.#connection) return this.#connection.answers();
    const limit = new AbortController();
    const late = sleep(probeLimitMs, 'late' as const, { signal: limit.signal }).catch(() => 'answered' as const);
    const outcome = await Promise.race([this.retry(), late]).finally(() => limit.abort());
    if (outcome !== 'late') return;
    const seconds = probeLimitMs / 1000;
    throw new LunaError('timeout', `The server "${this.id}" has not answered within ${seconds} seconds.`);
  }

  call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    const tool = this.#byName.get(name);
    if (!tool) return Promise.reject(new LunaError('tool_not_found', `The server "${this.id}" has no tool "${name}".`));
    const connection = this.#renewal ? undefined : this.#connection;
    const request = (one: McpConnection) => one.callTool(tool, args, call);
    if (!connection) return this.#send(request);
    return request(connection).catch((thrown) => this.#callFailed(thrown, connection, request));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.abort();
    clearTimeout(this.#retry);
    await this.#opening;
    await Promise.all([this.#connection, ...this.#retired].map((connection) => connection?.close()));
    this.#connection = undefined;
    await this.#wayOut?.close();
    this.#set({ status: 'stopped' });
  }

  async #send<Result>(request: (connection: McpConnection) => Promise<Result>): Promise<Result> {
    if (this.#renewal) await this.#renewal;
    const connection = this.#connected();
    return request(connection).catch((thrown) => this.#callFailed(thrown, connection, request));
  }

  async #callFailed<Result>(
    thrown: unknown,
    connection: McpConnection,
    request: (connection: McpConnection) => Promise<Result>,
  ): Promise<Result> {
    if (thrown instanceof SessionLostError) return this.#sendAgain(connection, request);
    const error = toLunaError(thrown, 'upstream_error');
    if (error.code === 'needs_authorization') this.#lost(connection, error);
    // Who hears of the failure then also finds in the health whether the server is gone.
    if (error.code === 'source_unavailable')
      await Promise.race([connection.check(), sleep(checkLimitMs, undefined, { ref: false })]);
    throw error;
  }

  /** A server that was restarted does not know our session, and said so before it did anything: connect and repeat. */
  async #sendAgain<Result>(
    former: McpConnection,
    request: (connection: McpConnection) => Promise<Result>,
  ): Promise<Result> {
    if (former === this.#connection && !this.#closed) this.#renewal = this.#renew(former);
    await (this.#renewal ?? this.#opening);
    try {
      return await request(this.#connected());
    } catch (thrown) {
      throw toLunaError(thrown, 'upstream_error');
    }
  }

  async #renew(former: McpConnection): Promise<void> {
    this.#connection = undefined;
    this.peer.disconnected();
    void this.#retire(former);
    await this.#open();
    this.#renewal = undefined;
  }

  async #retire(former: McpConnection): Promise<void> {
    this.#retired.add(former);
    await former.retire();
    this.#retired.delete(former);
  }

  #connected(): McpConnection {
    if (this.#connection) return this.#connection;
    const reason = this.#health.reason ?? 'it is not connected yet';
    const code = this.#health.status === 'needs_authorization' ? 'needs_authorization' : 'source_unavailable';
    throw new LunaError(code, `The server "${this.id}" cannot be called now: ${reason}`, {
      details: { source: this.id, outcome: 'failed' },
    });
  }

  #open(): Promise<void> {
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #connect(): Promise<void> {
    clearTimeout(this.#retry);
    let connection: McpConnection | undefined;
    let lostBy: string | undefined;
    const { signal } = this.#closing;
    // Whoever closes does not wait for a server that owes its lists.
    const breakOff = () => void connection?.close().catch((thrown) => this.#options.onLog?.(messageOf(thrown)));
    signal.addEventListener('abort', breakOff, { once: true });
    try {
      const { clientInfo, owner, onLog, connectLimitMs } = this.#options;
      const opened = await openConnection({
        target: await resolvedTarget(this.#options),
        wayOut: this.#wayOut,
        clientInfo: clientInfo ?? { name: 'luna', version: '0.1.0' },
        owner,
        onLog,
        knownLegacy: this.#knownLegacy,
        connectLimitMs: connectLimitMs ?? 60_000,
        signal,
        onListChanged: (kind) => this.#refreshes.ask(kind),
        onNotification: (notification) => this.peer.tell(notification),
        clients: () => this.peer.clients(),
        onLost: (reason) => {
          lostBy = reason;
          this.#lost(connection, reason);
        },
      });
      connection = opened;
      if (signal.aborted) return await opened.close();
      const [tools, ...lists] = await Promise.all([
        opened.listTools(),
        ...peerLists.map((kind) => listOf(opened, kind)),
      ]);
      if (lostBy !== undefined) throw new LunaError('source_unavailable', lostBy);
      if (this.#closed) return await connection.close();
      this.#connection = connection;
      this.#connectedAt = performance.now();
      this.#knownLegacy = !connection.agreement.modern;
      this.#take(tools);
      this.#options.onSession?.({
        event: 'connected',
        transport: connection.transportKind,
        protocolVersion: connection.agreement.protocolVersion,
        serverInfo: connection.serverInfo,
        tools: tools.length,
      });
      this.peer.connected(connection, Object.assign({}, ...lists));
      this.#set({ status: 'ready' });
    } catch (thrown) {
      await connection?.close();
      // Another version of the server may answer next time.
      this.#knownLegacy = false;
      if (!this.#closed) this.#failed(toLunaError(thrown, 'source_unavailable'));
    } finally {
      signal.removeEventListener('abort', breakOff);
    }
  }

  async #refresh(kind: 'tools' | 'resources' | 'prompts'): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    try {
      const changed =
        kind === 'tools' ? await this.#refreshTools(connection) : await this.#refreshPeer(connection, kind);
      if (changed) this.#set(this.#health);
    } catch (thrown) {
      this.#options.onLog?.(`Cannot list the ${kind} of ${this.id} anew: ${messageOf(thrown)}`);
    }
  }

  async #refreshTools(connection: McpConnection): Promise<boolean> {
    const tools = await connection.listTools();
    return connection === this.#connection && this.#take(tools);
  }

  async #refreshPeer(connection: McpConnection, kind: 'resources' | 'prompts'): Promise<boolean> {
    const kinds = kind === 'prompts' ? (['prompts'] as const) : (['resources', 'resourceTemplates'] as const);
    const lists = await Promise.all(kinds.map((one) => listOf(connection, one)));
    return connection === this.#connection && this.peer.take(Object.assign({}, ...lists));
  }

  /** Keeps the former list where nothing changed, so that nobody is told of a change. */
  #take(tools: Tool[]): boolean {
    const listed = tools.map(withoutTaskSupport);
    this.#byName = new Map(tools.map((tool) => [tool.name, tool]));
    if (JSON.stringify(listed) === JSON.stringify(this.#tools)) return false;
    this.#tools = listed;
    return true;
  }

  #lost(connection: McpConnection | undefined, reason: string | LunaError): void {
    if (this.#closed || connection === undefined || connection !== this.#connection) return;
    const log = connection.log();
    this.#connection = undefined;
    this.peer.disconnected();
    void this.#retire(connection);
    this.#failed(
      reason instanceof LunaError ? reason : new LunaError('source_unavailable', reason, { details: { log } }),
    );
  }

  #failed(error: LunaError): void {
    const log =
      Array.isArray(error.details?.log) && error.details.log.length > 0 ? error.details.log.map(String) : undefined;
    const healthyMs = this.#connectedAt === 0 ? 0 : performance.now() - this.#connectedAt;
    const event = this.#connectedAt === 0 ? 'refused' : 'lost';
    this.#options.onSession?.({ event, code: error.code, reason: error.message });
    this.#connectedAt = 0;
    const next = afterFailure(
      this.#options.restart ?? restartPolicyOf(this.#options.target, error),
      this.#history,
      healthyMs,
    );
    this.#history = next.history;
    this.#options.onLog?.(error.message);
    if (error.code === 'needs_authorization') return this.#set({ status: error.code, reason: error.message });
    if (next.delayMs === 'give-up') {
      const reason = `${error.message} It is left stopped after ${next.history.failures} failures in a row; correct its settings or start it again.`;
      return this.#set({ status: 'down', reason, log });
    }
    this.#set({ status: 'down', reason: error.message, log, retryAt: Date.now() + next.delayMs });
    if (next.delayMs === 0) void this.#afterOpening(() => this.#open());
    else this.#retry = setTimeout(() => void this.#open(), next.delayMs);
  }

  async #afterOpening(work: () => Promise<void>): Promise<void> {
    await this.#opening;
    if (!this.#closed) await work();
  }

  #set(health: SourceHealth): void {
    this.#health = health;
    for (const listener of this.#listeners) listener();
  }
}

const peerLists = ['resources', 'resourceTemplates', 'prompts'] as const;

async function listOf(
  connection: McpConnection,
  kind: PeerListKind,
): Promise<Partial<Record<PeerListKind, McpObject[]>>> {
  return { [kind]: await connection.listOf(kind) };
}
