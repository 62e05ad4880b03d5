import {
  type ConfigStore,
  differencesOf,
  type EnvFile,
  hubKeyName,
  type MasterConfig,
  mainHubName,
  parseMasterConfig,
} from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import type { Scheduler } from '../schedule/index.ts';
import { foldersIn, importMcpServers, McpSource } from '../sources/index.ts';
import type { Caller, ToolArguments, ToolPipeline } from '../tools/index.ts';
import type { AutoUpdates, Updates } from '../updates/index.ts';
import type { AgentAdministration } from './agent-administration.ts';
import {
  type Described,
  describeHubWithKey,
  describeRemote,
  describeSources,
  describeToolsBySource,
} from './describe.ts';
import type { ExtensionServices } from './extension-services/index.ts';
import { describeExtension, describeExtensions } from './extensions.ts';
import { assertFree, assertHubName, changeHubIn, deleteHubIn, type HubChange, hubIn } from './hub-changes.ts';
import { hubSelection } from './hubs.ts';
import { hashOfKey, makeKey } from './keys.ts';
import { type NewServer, newServerId, newServerSettings, notesOf } from './new-servers.ts';
import type { UpstreamAuthorizations } from './upstream-authorizations.ts';
import type {
  ExtensionDetailView,
  ExtensionView,
  HubWithKeyView,
  ImportOutcomeView,
  RemoteServerView,
  SourceView,
  ToolCallAnswerView,
  ToolsBySourceView,
} from './views.ts';

/** How many paths a conflict names. */
const maxDifferences = 100;

/** What may be changed of a server. */
export interface ServerChange {
  readonly enabled?: boolean;
  readonly allow_private_network?: boolean;
}

/** What administration needs of a Luna. */
export interface Administered {
  readonly config: ConfigStore;
  readonly env: EnvFile;
  readonly pipeline: ToolPipeline;
  readonly described: Described;
  readonly authorizations: Pick<UpstreamAuthorizations, 'forget'>;
  readonly schedules: Pick<Scheduler, 'hubRenamed' | 'hubDeleted'>;
  readonly updates: Pick<Updates, 'formerOf'>;
  readonly autoUpdates: Pick<AutoUpdates, 'pendingOf'>;
  readonly agentAdmin: Pick<AgentAdministration, 'selectionOf'>;
  readonly services: Pick<ExtensionServices, 'describe'>;
  /** Waits until all changes so far are in force, and for the limit in milliseconds for sources to have started. */
  settled(limitMs: number): Promise<void>;
}

/**
 * What people and programs may do with a Luna, each as one change of the configuration. A method returns once the
 * change is on the disk and in force.
 */
export class Administration {
  readonly #luna: Administered;

  constructor(luna: Administered) {
    this.#luna = luna;
  }

  tools(): Promise<ToolsBySourceView> {
    return describeToolsBySource(this.#luna.described);
  }

  /** Calls a tool, as a hub would see it where one is named. Throws `tool_not_found`, `source_unavailable`, `timeout`, … */
  async callTool(request: {
    name: string;
    args?: ToolArguments;
    hub?: string;
    /** Instead of a hub: as this preset would call it. */
    preset?: string;
    caller: Caller;
    signal?: AbortSignal;
    requestId?: string | undefined;
  }): Promise<ToolCallAnswerView> {
    const { hub, preset, ...call } = request;
    const config = this.#luna.config.config;
    const selection =
      preset !== undefined
        ? this.#luna.agentAdmin.selectionOf(preset)
        : hub === undefined
          ? undefined
          : hubSelection(hubIn(config, hub), config);
    const started = performance.now();
    const { content, ...rest } = await this.#luna.pipeline.call({ ...call, selection });
    return {
      result: { ...rest, content: [...content] },
      durationMs: Math.round((performance.now() - started) * 100) / 100,
    };
  }

  hubs(): HubWithKeyView[] {
    return Object.keys(this.#luna.config.config.mcp_servers).map((name) =>
      describeHubWithKey(this.#luna.described, name),
    );
  }

  /** Throws `not_found`. */
  hub(name: string): HubWithKeyView {
    hubIn(this.#luna.config.config, name);
    return describeHubWithKey(this.#luna.described, name);
  }

  /**
   * With `showKey: false` only a hash of the key is kept, and this answer is the last one that holds the key. Throws
   * `invalid_input` for a name that cannot be one, `conflict` for one that is taken.
   */
  async createHub(name: string, { showKey = true }: { showKey?: boolean } = {}): Promise<HubWithKeyView> {
    assertHubName(name);
    const key = makeKey('luna-hub-');
    await this.#change((config) => {
      assertFree(config, name);
      const secret = showKey ? { api_key: key } : { api_key_hash: hashOfKey(key) };
      config.mcp_servers[name] = { enabled: true, ...secret, tool_config: {} };
    });
    await this.#luna.env.set({ [hubKeyName(name)]: showKey ? key : undefined });
    return { ...describeHubWithKey(this.#luna.described, name), apiKey: key };
  }

  async changeHub(name: string, change: HubChange): Promise<HubWithKeyView> {
    const after = change.name ?? name;
    if (after !== name) assertHubName(after);
    const tools = change.all_tools === undefined ? [] : [...this.#luna.described.registry.tools().values()];
    const config = await this.#change((config) => changeHubIn(config, name, change, tools));
    if (after !== name) {
      const key = config.mcp_servers[after]?.api_key;
      await this.#luna.env.set({ [hubKeyName(name)]: undefined, [hubKeyName(after)]: key });
      await this.#luna.schedules.hubRenamed(name, after);
    }
    return describeHubWithKey(this.#luna.described, after);
  }

  async deleteHub(name: string): Promise<void> {
    await this.#change((config) => deleteHubIn(config, name));
    await this.#luna.env.set({ [hubKeyName(name)]: undefined });
    await this.#luna.schedules.hubDeleted(name);
  }

  /**
   * Gives a hub another key; clients with the former one are disconnected. Of a key that was kept as a hash the new one
   * is kept so too: this answer is the last one that holds it.
   */
  async regenerateHubKey(name: string): Promise<HubWithKeyView> {
    const key = makeKey('luna-hub-');
    let isHashed = false;
    await this.#change((config) => {
      const hub = hubIn(config, name);
      if (name === mainHubName) throw new LunaError('conflict', 'No key opens the hub "main": people let clients in.');
      isHashed = hub.api_key_hash !== undefined;
      if (isHashed) hub.api_key_hash = hashOfKey(key);
      else hub.api_key = key;
    });
    await this.#luna.env.set({ [hubKeyName(name)]: isHashed ? undefined : key });
    return { ...describeHubWithKey(this.#luna.described, name), apiKey: key };
  }

  remoteServers(): RemoteServerView[] {
    return Object.keys(this.#luna.config.config.remote_mcp_servers).map((id) =>
      describeRemote(this.#luna.described, id),
    );
  }

  /** Adds a server and waits a little for its first connection; whether that succeeded is in the answer's health. */
  async addRemoteServer(server: NewServer): Promise<RemoteServerView> {
    const { id: wantedId, ...settings } = server;
    const folders = await foldersIn(this.#luna.described.extensionsFolder);
    let id = wantedId ?? '';
    await this.#change((config) => {
      const taken = new Set([...Object.keys(config.remote_mcp_servers), ...folders]);
      id = newServerId(server, taken);
      config.remote_mcp_servers[id] = newServerSettings(id, settings);
    });
    await this.#luna.settled(5_000);
    const notes = notesOf(id, this.#luna.config.config.remote_mcp_servers[id]);
    return { ...describeRemote(this.#luna.described, id), ...(notes.length > 0 && { notes }) };
  }

  async changeRemoteServer(id: string, change: ServerChange): Promise<RemoteServerView> {
    await this.#change((config) => {
      const server = config.remote_mcp_servers[id];
      if (!server) throw new LunaError('not_found', `There is no server "${id}".`);
      Object.assign(server, change);
    });
    await this.#luna.settled(5_000);
    return describeRemote(this.#luna.described, id);
  }

  /** Asks a server whether it is there. What came out is in the answer's health; it is no call of a tool. */
  async testRemoteServer(id: string): Promise<RemoteServerView> {
    if (!this.#luna.config.config.remote_mcp_servers[id])
      throw new LunaError('not_found', `There is no server "${id}".`);
    const source = this.#luna.described.registry.source(id);
    if (!(source instanceof McpSource))
      throw new LunaError('conflict', `The server "${id}" is switched off. Switch it on first.`);
    await source.test();
    return describeRemote(this.#luna.described, id);
  }

  async removeRemoteServer(id: string): Promise<void> {
    // Before its source ends, over which tokens are given back.
    if (this.#luna.config.config.remote_mcp_servers[id]) await this.#luna.authorizations.forget(id);
    await this.#change((config) => {
      if (!config.remote_mcp_servers[id]) throw new LunaError('not_found', `There is no server "${id}".`);
      delete config.remote_mcp_servers[id];
    });
  }

  /** Takes over an `mcpServers` document. Servers that are there already are left as they are and told as skipped. */
  async importServers(document: unknown): Promise<ImportOutcomeView> {
    const imported = importMcpServers(document);
    const folders = await foldersIn(this.#luna.described.extensionsFolder);
    const added: string[] = [];
    const skipped = [...imported.skipped];
    await this.#change((config) => {
      for (const [id, server] of Object.entries(imported.servers)) {
        if (config.remote_mcp_servers[id] || folders.includes(id))
          skipped.push({ name: id, reason: 'a source of this name is there already' });
        else {
          config.remote_mcp_servers[id] = newServerSettings(id, server);
          added.push(id);
        }
      }
    });
    await this.#luna.settled(5_000);
    const present = await this.#luna.env.read();
    const wanted = added.flatMap((server) => (imported.needs[server] ?? []).map((key) => ({ key, server })));
    const missing = wanted.filter(({ key }) => !Object.hasOwn(present, key));
    const notes = added.flatMap((id) => notesOf(id, this.#luna.config.config.remote_mcp_servers[id]));
    return { added, skipped, missing, notes };
  }

  extensions(): Promise<ExtensionView[]> {
    return describeExtensions(this.#luna);
  }

  /** Throws `not_found`. */
  extension(name: string): Promise<ExtensionDetailView> {
    return describeExtension(this.#luna, name);
  }

  async setExtensionEnabled(name: string, enabled: boolean): Promise<SourceView> {
    await this.#change((config) => {
      const extension = config.extensions[name];
      if (!extension) throw new LunaError('not_found', `There is no extension "${name}".`);
      extension.enabled = enabled;
    });
    await this.#luna.settled(5_000);
    const source = (await describeSources(this.#luna.described)).find((candidate) => candidate.id === name);
    if (!source) throw new LunaError('not_found', `The folder of the extension "${name}" is gone.`);
    return source;
  }

  /**
   * Replaces the whole configuration. Throws `invalid_input` for one that does not fit; for another etag `stale`, with
   * the paths at which it and the present configuration differ.
   */
  async replaceConfig(document: unknown, ifMatch?: string): Promise<MasterConfig> {
    const wanted = parseMasterConfig(document);
    try {
      return await this.#change((config) => {
        for (const key of Object.keys(config)) delete config[key];
        Object.assign(config, wanted);
      }, ifMatch);
    } catch (thrown) {
      if (!(thrown instanceof LunaError) || thrown.code !== 'stale') throw thrown;
      const differences = differencesOf(this.#luna.config.config, wanted).map(({ path }) => path.join('.'));
      const details = { ...thrown.details, differences: differences.slice(0, maxDifferences) };
      throw new LunaError('stale', thrown.message, { cause: thrown, details });
    }
  }

  async #change(change: (config: MasterConfig) => void, ifMatch?: string): Promise<MasterConfig> {
    const config = await this.#luna.config.update(change, { ifMatch });
    await this.#luna.settled(0);
    return config;
  }
}
