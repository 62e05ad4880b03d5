import { resolve } from 'node:path';
import type { MasterConfig, RemoteServerConfig } from '../../config/index.ts';
import { proxySettings } from '../../supervisor/index.ts';
import { referredKeys, type SourceKind, type WantedSource } from '../kind.ts';
import type { McpTarget } from './connect-options.ts';
import { McpSource } from './source.ts';
import type { McpSourceOptions, SessionEvent } from './source-options.ts';

export interface McpKindOptions {
  /** The folder of the home, which paths in the configuration are relative to. */
  readonly root: string;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  readonly clientInfo: { readonly name: string; readonly version: string };
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly authorizeFor: (id: string, server: RemoteServerConfig) => McpSourceOptions['authorize'];
  readonly onSession: (server: string, event: SessionEvent) => void;
  readonly onLog: (source: string, line: string) => void;
}

/** MCP servers: each that the configuration names, unless it is switched off. */
export class McpKind implements SourceKind {
  readonly name = 'mcp';
  readonly #options: McpKindOptions;

  constructor(options: McpKindOptions) {
    this.#options = options;
  }

  async wanted(config: MasterConfig): Promise<WantedSource[]> {
    return Object.entries(config.remote_mcp_servers)
      .filter(([, server]) => server.enabled)
      .map(([id, server]) => ({
        id,
        settings: settingsOf(server, config),
        keys: async () => referredKeys(JSON.stringify([server.args, server.env, server.headers, server.oauth])),
        make: () => this.#source(id, server, config),
      }));
  }

  #source(id: string, server: RemoteServerConfig, config: MasterConfig): McpSource {
    const { root, owner, clientInfo, secrets, authorizeFor, onLog, onSession } = this.#options;
    return new McpSource({
      id,
      title: server.title,
      target: targetOf(server, root),
      egress: {
        allowedHosts: config.luna.allowed_private_hosts,
        allowPrivateNetwork: server.allow_private_network === true,
      },
      proxy: proxySettings(),
      authorize: authorizeFor(id, server),
      clientInfo,
      owner,
      secrets,
      onLog: (line) => onLog(id, line),
      onSession: (event) => onSession(id, event),
    });
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
