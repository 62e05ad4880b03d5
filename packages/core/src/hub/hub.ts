import { LunaError } from '../errors/index.ts';
import {
  type CallClient,
  type Caller,
  type Cancellation,
  everyTool,
  type McpPeer,
  type PeerNotification,
  type Selection,
  type ToolArguments,
  ToolPipeline,
  type ToolProgress,
  type ToolRegistry,
  type ToolResult,
} from '../tools/index.ts';
import { PeerCatalog } from './peer-catalog.ts';
import { showInBlocks } from './shown-results.ts';
import { ToolList } from './tool-list.ts';
import type { ToolOverrides } from './tool-view.ts';

export interface McpHubOptions {
  /** The name of the hub; callers in records are named by it. */
  readonly name: string;
  readonly registry: ToolRegistry;
  /** What each call passes. Default: nothing but the way to the source. */
  readonly pipeline?: ToolPipeline;
  /** What the hub shows and lets call. Default: everything. */
  readonly selection?: Selection;
  /** What the hub shows otherwise than sources do. Default: nothing. */
  readonly overrides?: ToolOverrides;
  /** What clients are told of the server. Default: `luna` with the name of the hub. */
  readonly serverInfo?: { readonly name: string; readonly version: string; readonly title?: string };
  /** Advice for the client's model. Default: that of the servers behind the hub. */
  readonly instructions?: string;
  /** Covers secrets in what clients are told of errors. Default: nothing is covered. */
  readonly redact?: (text: string) => string;
  /** Entries per page of a list. Default 2,000: many clients read only the first page. */
  readonly pageSize?: number;
}

/** What is known of one call beside its name and arguments. */
export interface HubCall {
  readonly signal?: AbortSignal | undefined;
  /** Instead of a signal, where calls are many. */
  readonly cancellation?: Cancellation | undefined;
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
  readonly client?: CallClient | undefined;
  readonly retry?: Readonly<Record<string, unknown>> | undefined;
  /** See `SourceCall.requestId`. */
  readonly requestId?: string | undefined;
  /** Who calls, where it is not a client of the hub. */
  readonly caller?: Caller | undefined;
}

/** What can change in what a hub shows. */
export type HubListKind = 'tools' | 'resources' | 'prompts';

/** Changes come in bursts, as when many sources start; clients hear of them together after so many milliseconds. */
const gatherMs = 5;

/**
 * A named MCP server over a registry, seen through a selection. Beside its tools it shows the resources and prompts of
 * the MCP servers of which it shows a tool, and of those that have no tools. This object knows the protocol's features,
 * not its transports: see {@link HubHttp}.
 */
export class McpHub {
  readonly name: string;
  readonly serverInfo: { readonly name: string; readonly version: string; readonly title?: string };
  /** Covers secrets in what clients are told of errors. */
  readonly redact: ((text: string) => string) | undefined;
  readonly #instructions: string | undefined;
  readonly #registry: ToolRegistry;
  readonly #pipeline: ToolPipeline;
  readonly #pageSize: number;
  readonly #caller: { readonly kind: 'hub'; readonly name: string };
  readonly #listeners = new Set<(kind: HubListKind) => void>();
  readonly #notificationListeners = new Set<(notification: PeerNotification) => void>();
  readonly #unwatch: () => void;
  readonly #watched = new Map<McpPeer, () => void>();
  #clients: () => Iterable<CallClient> = () => [];
  #selection: Selection;
  #overrides: ToolOverrides | undefined;
  #list: ToolList | undefined;
  #catalog: PeerCatalog | undefined;
  #announcing: NodeJS.Timeout | undefined;
  #announced: Record<HubListKind, string>;

  constructor(options: McpHubOptions) {
    this.name = options.name;
    this.serverInfo = options.serverInfo ?? { name: `luna-${options.name}`, version: '0.1.0' };
    this.redact = options.redact;
    this.#instructions = options.instructions;
    this.#registry = options.registry;
    this.#pipeline = options.pipeline ?? new ToolPipeline(options.registry);
    this.#pageSize = options.pageSize ?? 2_000;
    this.#caller = { kind: 'hub', name: options.name };
    this.#selection = options.selection ?? everyTool;
    this.#overrides = options.overrides;
    this.#announced = this.#fingerprints();
    this.#unwatch = this.#registry.onChange(() => this.#refresh());
  }

  /** The tools as clients see them now. */
  get tools(): ToolList {
    this.#list ??= new ToolList(this.#registry.tools(), this.#selection, this.#pageSize, this.#overrides);
    return this.#list;
  }

  /** Resources, prompts and the rest of what servers offer, as clients see it now. */
  get catalog(): PeerCatalog {
    this.#catalog ??= this.#makeCatalog();
    return this.#catalog;
  }

  get instructions(): string | undefined {
    return this.#instructions ?? this.catalog.instructions;
  }

  /** Another selection takes effect at once, for lists and for calls, and so do other overrides. */
  select(selection: Selection, overrides?: ToolOverrides): void {
    this.#selection = selection;
    this.#overrides = overrides;
    this.#refresh();
  }

  /** Calls a tool by the name that the list shows. Throws as `ToolPipeline.call` does. */
  callTool(name: string, args: ToolArguments | undefined, call: HubCall = {}): Promise<ToolResult> {
    try {
      return this.#call(name, args, call);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  #call(name: string, args: ToolArguments | undefined, call: HubCall): Promise<ToolResult> {
    const { signal, cancellation, onProgress, meta, client, retry, requestId, caller = this.#caller } = call;
    const view = this.tools.view(name);
    if (!view && this.tools.isGivenUp(name)) {
      throw new LunaError('tool_not_found', `Unknown tool: ${name}`, { details: { tool: name } });
    }
    const answer = this.#pipeline.call({
      name: view?.registered.name ?? name,
      args: view?.argumentsFor ? view.argumentsFor(args ?? {}) : args,
      caller,
      selection: this.#selection,
      signal,
      cancellation,
      onProgress,
      meta,
      client,
      retry,
      requestId,
    });
    if (this.catalog.peers.length < 2) return answer;
    const source = (view?.registered ?? this.#registry.get(name))?.source.id;
    return answer.then((result) => this.#withShownUris(result, source));
  }

  /** With several servers, URIs in results are those of the hub's own resources. */
  #withShownUris(result: ToolResult, source: string | undefined): ToolResult {
    const { peers, uris } = this.catalog;
    const owner = peers.length < 2 ? undefined : peers.find(({ id }) => id === source);
    return owner ? showInBlocks(result, (uri) => uris.shown(owner, uri)) : result;
  }

  /** Calls the listener after the tools that clients see have changed, once for changes at one time. */
  onToolsChanged(listener: () => void): () => void {
    return this.onListChanged((kind) => {
      if (kind === 'tools') listener();
    });
  }

  /** Calls the listener after what clients see has changed, once per kind for changes at one time. */
  onListChanged(listener: (kind: HubListKind) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener with what servers tell of themselves; URIs are as clients see them. */
  onNotification(listener: (notification: PeerNotification) => void): () => void {
    this.#notificationListeners.add(listener);
    return () => this.#notificationListeners.delete(listener);
  }

  /** Clients that a server's question can be for which belongs to no request. */
  setClients(clients: () => Iterable<CallClient>): void {
    this.#clients = clients;
  }

  /** Wants log messages of all servers from this level on. */
  setLogLevel(level: string | undefined): void {
    for (const { peer } of this.catalog.peers) peer.setLogLevel(this, level);
  }

  /** Lets go of the registry. */
  close(): void {
    this.#unwatch();
    for (const unwatch of this.#watched.values()) unwatch();
    this.#watched.clear();
    clearTimeout(this.#announcing);
    this.#listeners.clear();
    this.#notificationListeners.clear();
  }

  #refresh(): void {
    this.#list = undefined;
    this.#catalog = undefined;
    // The look of a long list is compared once per burst of changes, not once per change.
    this.#announcing ??= setTimeout(() => {
      this.#announcing = undefined;
      const [before, now] = [this.#announced, this.#fingerprints()];
      this.#announced = now;
      for (const kind of ['tools', 'resources', 'prompts'] as const) {
        if (before[kind] !== now[kind]) for (const listener of this.#listeners) listener(kind);
      }
    }, gatherMs);
  }

  #fingerprints(): Record<HubListKind, string> {
    const { resources, resourceTemplates, prompts } = this.catalog;
    return {
      tools: this.tools.fingerprint,
      resources: resources.fingerprint + resourceTemplates.fingerprint,
      prompts: prompts.fingerprint,
    };
  }

  #makeCatalog(): PeerCatalog {
    const shown = new Set([...this.tools.visible.values()].map(({ source }) => source.id));
    const peers = this.#registry.sources().flatMap((source) => {
      const { id, peer } = source;
      return peer && (shown.has(id) || source.list().length === 0) ? [{ id, peer }] : [];
    });
    this.#watchPeers(peers);
    return new PeerCatalog(peers, this.#pageSize);
  }

  #watchPeers(peers: readonly { id: string; peer: McpPeer }[]): void {
    const now = new Set(peers.map(({ peer }) => peer));
    for (const [peer, unwatch] of this.#watched) {
      if (now.has(peer)) continue;
      unwatch();
      this.#watched.delete(peer);
    }
    for (const { id, peer } of peers) {
      if (this.#watched.has(peer)) continue;
      const stops = [
        peer.onNotification((notification) => this.#tell(id, notification)),
        peer.addClients(() => this.#clients()),
        () => peer.setLogLevel(this, undefined),
      ];
      this.#watched.set(peer, () => {
        for (const stop of stops) stop();
      });
    }
  }

  #tell(id: string, notification: PeerNotification): void {
    const owner = this.catalog.peers.find((peer) => peer.id === id);
    if (!owner) return;
    const { uri } = notification.params;
    const shown =
      typeof uri === 'string'
        ? { ...notification, params: { ...notification.params, uri: this.catalog.uris.shown(owner, uri) } }
        : notification;
    for (const listener of this.#notificationListeners) listener(shown);
  }
}
