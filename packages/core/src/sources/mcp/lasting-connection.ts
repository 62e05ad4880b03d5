import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError, messageOf, toLunaError } from '../../errors/index.ts';
import { afterFailure, noFailures } from '../../supervisor/index.ts';
import type { SourceHealth } from '../../tools/index.ts';
import { openConnection } from './connect.ts';
import type { McpConnection } from './connection.ts';
import { SessionLostError } from './http-post.ts';
import { everythingOf, type Listed, type ListKind } from './lists.ts';
import { probeLimitMs } from './liveness.ts';
import type { SourcePeer } from './peer.ts';
import { type McpSourceOptions, resolvedTarget, restartPolicyOf } from './source-options.ts';
import { openWayOut, type WayOut } from './way-out.ts';

/** How long a call that failed on its way waits at most to learn whether the server is there, in milliseconds. */
const checkLimitMs = 500;

/** Whose connection it is. */
export interface ConnectionHooks {
  readonly peer: SourcePeer;
  /** There is a new connection, on which the server listed this. */
  readonly onConnected: (connection: McpConnection, listed: Listed) => void;
  readonly onListChanged: (kind: ListKind) => void;
  readonly onHealth: () => void;
}

/**
 * One lasting connection to an MCP server that everybody shares. When it is lost it is made again by itself; meanwhile
 * what is sent fails at once.
 */
export class LastingConnection {
  readonly #options: McpSourceOptions;
  readonly #hooks: ConnectionHooks;
  /** Connections of former sessions on which calls are under way. */
  readonly #retired = new Set<McpConnection>();
  #connection: McpConnection | undefined;
  #renewal: Promise<void> | undefined;
  #opening: Promise<void> | undefined;
  #health: SourceHealth = { status: 'stopped' };
  #history = noFailures;
  #connectedAt = 0;
  #knownLegacy = false;
  #retry: NodeJS.Timeout | undefined;
  #closing = new AbortController();
  #wayOut: WayOut | undefined;
  #closed = true;

  constructor(options: McpSourceOptions, hooks: ConnectionHooks) {
    this.#options = options;
    this.#hooks = hooks;
  }

  /** The connection of now. */
  get current(): McpConnection | undefined {
    return this.#connection;
  }

  health(): SourceHealth {
    const pid = this.#connection?.pid;
    return pid === undefined ? this.#health : { ...this.#health, pid };
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
    this.#hooks.peer.disconnected();
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
    throw new LunaError('timeout', `The server "${this.#options.id}" has not answered within ${seconds} seconds.`);
  }

  /** Sends on the connection of now. Throws why there is none, and what the request throws. */
  send<Result>(request: (connection: McpConnection) => Promise<Result>): Promise<Result> {
    const connection = this.#renewal ? undefined : this.#connection;
    if (!connection) return this.#sendLater(request);
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

  async #sendLater<Result>(request: (connection: McpConnection) => Promise<Result>): Promise<Result> {
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
    this.#hooks.peer.disconnected();
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
    throw new LunaError(code, `The server "${this.#options.id}" cannot be called now: ${reason}`, {
      details: { source: this.#options.id, outcome: 'failed' },
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
        onListChanged: (kind) => this.#hooks.onListChanged(kind),
        onNotification: (notification) => this.#hooks.peer.tell(notification),
        clients: () => this.#hooks.peer.clients(),
        onLost: (reason) => {
          lostBy = reason;
          this.#lost(connection, reason);
        },
      });
      connection = opened;
      if (signal.aborted) return await opened.close();
      const listed = await everythingOf(opened);
      if (lostBy !== undefined) throw new LunaError('source_unavailable', lostBy);
      if (this.#closed) return await connection.close();
      this.#connection = connection;
      this.#connectedAt = performance.now();
      this.#knownLegacy = !connection.agreement.modern;
      this.#options.onSession?.({
        event: 'connected',
        transport: connection.transportKind,
        protocolVersion: connection.agreement.protocolVersion,
        serverInfo: connection.serverInfo,
        tools: listed.tools.length,
      });
      this.#hooks.onConnected(connection, listed);
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

  #lost(connection: McpConnection | undefined, reason: string | LunaError): void {
    if (this.#closed || connection === undefined || connection !== this.#connection) return;
    const log = connection.log();
    this.#connection = undefined;
    this.#hooks.peer.disconnected();
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
    this.#hooks.onHealth();
  }
}
