import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type MasterConfig, type RemoteServerConfig, sourceName } from '../config/index.ts';
import { systemCodeOf } from '../errors/index.ts';
import { ExtensionSource, McpSource, type McpTarget, type SessionEvent } from '../sources/index.ts';
import { proxySettings } from '../supervisor/index.ts';
import type { ToolRegistry, ToolSource } from '../tools/index.ts';
import type { HomePaths } from './home.ts';
import type { UpstreamAuthorizations } from './upstream-authorizations.ts';

export interface ReconcilerOptions {
  readonly paths: HomePaths;
  readonly registry: ToolRegistry;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  readonly clientInfo: { readonly name: string; readonly version: string };
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly authorizations: Pick<UpstreamAuthorizations, 'authorizeFor'>;
  readonly onSession: (server: string, event: SessionEvent) => void;
  readonly onLog: (source: string, line: string) => void;
  /** After a source came, went or changed its health. */
  readonly onChange: () => void;
}

interface Running {
  readonly source: ToolSource;
  /** The settings that it was started with; others mean another source. */
  readonly settings: string;
  readonly unwatch: () => void;
}

/** A source that should run, and how to make it. */
interface Wanted {
  readonly id: string;
  readonly settings: string;
  readonly make: () => ToolSource;
}

/**
 * Makes the sources that run be the ones that the configuration and the folders ask for, by changing only the
 * difference. A source whose settings did not change is left alone, process and connection and all.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #running = new Map<string, Running>();
  readonly #starting = new Set<Promise<void>>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Starts, stops and replaces what differs. New sources start in the background; see {@link settled}. */
  async apply(config: MasterConfig): Promise<void> {
    const wanted = new Map((await this.#wanted(config)).map((source) => [source.id, source]));
    const leaving = [...this.#running].filter(([id, running]) => wanted.get(id)?.settings !== running.settings);
    await Promise.all(leaving.map(([id]) => this.#stop(id)));
    for (const source of wanted.values()) if (!this.#running.has(source.id)) this.#start(source);
  }

  /** The running source of this id. */
  source(id: string): ToolSource | undefined {
    return this.#running.get(id)?.source;
  }

  /** Takes over saved files of an extension. */
  async reloadExtension(name: string): Promise<void> {
    const source = this.#running.get(name)?.source;
    if (source instanceof ExtensionSource) await source.reload();
  }

  /** Waits until every source that was started has had its first attempt, or for the limit in milliseconds. */
  async settled(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((settle) => {
      timer = setTimeout(settle, limitMs);
    });
    await Promise.race([Promise.all(this.#starting), limit]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.#stop(id)));
  }

  async #wanted(config: MasterConfig): Promise<Wanted[]> {
    const folders = await extensionFolders(this.#options.paths.extensions);
    const extensions = folders
      .filter((name) => config.extensions[name]?.enabled !== false)
      .map((name) => ({ id: name, settings: 'extension', make: () => this.#extension(name) }));
    const taken = new Set(folders);
    const servers = Object.entries(config.remote_mcp_servers)
      // A server cannot take the id of an extension; the configuration refuses it when it is added through Luna.
      .filter(([id, server]) => server.enabled && !taken.has(id))
      .map(([id, server]) => ({
        id,
        settings: settingsOf(server, config),
        make: () => this.#server(id, server, config),
      }));
    return [...extensions, ...servers];
  }

  #extension(name: string): ToolSource {
    const { paths, secrets, onLog } = this.#options;
    return new ExtensionSource({
      folder: join(paths.extensions, name),
      dataDir: join(paths.extensionData, name),
      secrets,
      onLog: (line) => onLog(name, line),
    });
  }

  #server(id: string, server: RemoteServerConfig, config: MasterConfig): ToolSource {
    const { paths, owner, clientInfo, secrets, onLog } = this.#options;
    return new McpSource({
      id,
      title: server.title,
      target: targetOf(server, paths.root),
      egress: {
        allowedHosts: config.luna.allowed_private_hosts,
        allowPrivateNetwork: server.allow_private_network === true,
      },
      proxy: proxySettings(),
      authorize: this.#options.authorizations.authorizeFor(id, server),
      clientInfo,
      owner,
      secrets,
      onLog: (line) => onLog(id, line),
      onSession: (event) => this.#options.onSession(id, event),
    });
  }

  #start(wanted: Wanted): void {
    const source = wanted.make();
    this.#options.registry.add(source);
    const unwatch = source.onChange(this.#options.onChange);
    this.#running.set(wanted.id, { source, settings: wanted.settings, unwatch });
    const started = source.start().finally(() => this.#starting.delete(started));
    this.#starting.add(started);
  }

  async #stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    this.#options.registry.remove(id);
    running.unwatch();
    this.#options.onChange();
    await running.source.close();
  }
}

/** The folders of extensions that are there, in order of name. One whose name cannot be a source's is none. */
export async function extensionFolders(parent: string): Promise<string[]> {
  try {
    const entries = await readdir(parent, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map((entry) => entry.name);
    return names.filter((name) => sourceName.safeParse(name).success).sort();
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}

/** What a server is started with: its own settings, and for one over HTTP where it may lead. */
function settingsOf(server: RemoteServerConfig, config: MasterConfig): string {
  return JSON.stringify(server.url === undefined ? server : [server, config.luna.allowed_private_hosts]);
}

/** Where a configured server is, with its references to secrets as they were written. */
export function targetOf(server: RemoteServerConfig, home: string): McpTarget {
  if (server.url !== undefined) {
    const kind = server.transport === 'http' || server.transport === 'sse' ? server.transport : 'http-or-sse';
    return { kind, url: new URL(server.url), headers: server.headers ?? {} };
  }
  return {
    kind: 'stdio',
    command: server.command ?? '',
    args: server.args ?? [],
    env: server.env ?? {},
    ...(server.env_file !== undefined && { envFile: resolve(home, server.env_file) }),
    cwd: resolve(home, server.cwd ?? '.'),
  };
}
