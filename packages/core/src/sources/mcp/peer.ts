import { messageOf } from '../../errors/index.ts';
import type { CallClient, McpObject, McpPeer, PeerListKind, PeerNotification, SourceCall } from '../../tools/index.ts';
import type { McpConnection } from './connection.ts';

/** How severe log messages are, least first (RFC 5424, as MCP names them). */
const logLevels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

export interface SourcePeerOptions {
  /** Sends a request on the connection of now, as calls are sent. */
  readonly request: (method: string, params: McpObject, call: SourceCall) => Promise<McpObject>;
  readonly onLog: (line: string) => void;
}

/** What an MCP server offers beside tools, over connections that come and go. */
export class SourcePeer implements McpPeer {
  readonly #options: SourcePeerOptions;
  readonly #lists: Record<PeerListKind, readonly McpObject[]> = { resources: [], resourceTemplates: [], prompts: [] };
  readonly #subscriptions = new Map<string, number>();
  readonly #levels = new Map<object, string>();
  readonly #listeners = new Set<(notification: PeerNotification) => void>();
  readonly #clients = new Set<() => Iterable<CallClient>>();
  #connection: McpConnection | undefined;
  #capabilities: McpObject = {};
  #instructions: string | undefined;
  #revision = 0;

  constructor(options: SourcePeerOptions) {
    this.#options = options;
  }

  get revision(): number {
    return this.#revision;
  }

  get capabilities(): McpObject {
    return this.#capabilities;
  }

  get instructions(): string | undefined {
    return this.#instructions;
  }

  list(kind: PeerListKind): readonly McpObject[] {
    return this.#lists[kind];
  }

  request(method: string, params: McpObject, call: SourceCall): Promise<McpObject> {
    return this.#options.request(method, params, call);
  }

  subscribe(uri: string): () => void {
    const count = this.#subscriptions.get(uri) ?? 0;
    this.#subscriptions.set(uri, count + 1);
    if (count === 0) void this.#try(() => this.#connection?.subscribe(uri));
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = (this.#subscriptions.get(uri) ?? 1) - 1;
      if (left > 0) return void this.#subscriptions.set(uri, left);
      this.#subscriptions.delete(uri);
      void this.#try(() => this.#connection?.unsubscribe(uri));
    };
  }

  setLogLevel(asker: object, level: string | undefined): void {
    const before = this.#leastLevel();
    if (level === undefined) this.#levels.delete(asker);
    else this.#levels.set(asker, level);
    const now = this.#leastLevel();
    if (now !== undefined && now !== before) void this.#try(() => this.#connection?.setLogLevel(now));
  }

  rootsChanged(_client: CallClient): void {
    void this.#try(() => this.#connection?.notify('notifications/roots/list_changed'));
  }

  onNotification(listener: (notification: PeerNotification) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  addClients(clients: () => Iterable<CallClient>): () => void {
    this.#clients.add(clients);
    return () => this.#clients.delete(clients);
  }

  /** Everyone that a question without a request can be for. */
  *clients(): Iterable<CallClient> {
    for (const clients of this.#clients) yield* clients();
  }

  /** Passes on what the server tells. */
  tell(notification: PeerNotification): void {
    for (const listener of this.#listeners) listener(notification);
  }

  /** Takes over a new connection: its lists, and what the former one was asked for. True when something changed. */
  connected(connection: McpConnection, lists: Partial<Record<PeerListKind, readonly McpObject[]>>): boolean {
    this.#connection = connection;
    const { capabilities, instructions } = connection;
    const before = JSON.stringify([this.#capabilities, this.#instructions]);
    this.#capabilities = capabilities;
    this.#instructions = instructions;
    const changed = JSON.stringify([capabilities, instructions]) !== before;
    if (changed) this.#revision++;
    for (const uri of this.#subscriptions.keys()) void this.#try(() => connection.subscribe(uri));
    const level = this.#leastLevel();
    if (level !== undefined) void this.#try(() => connection.setLogLevel(level));
    return this.take(lists) || changed;
  }

  disconnected(): void {
    this.#connection = undefined;
  }

  /** True when a list is another one than before. */
  take(lists: Partial<Record<PeerListKind, readonly McpObject[]>>): boolean {
    let changed = false;
    for (const kind of ['resources', 'resourceTemplates', 'prompts'] as const) {
      const list = lists[kind];
      if (list === undefined || JSON.stringify(list) === JSON.stringify(this.#lists[kind])) continue;
      this.#lists[kind] = list;
      changed = true;
    }
    if (changed) this.#revision++;
    return changed;
  }

  #leastLevel(): string | undefined {
    return logLevels.find((level) => [...this.#levels.values()].includes(level));
  }

  async #try(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#options.onLog(messageOf(thrown));
    }
  }
}
