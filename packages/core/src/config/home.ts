import { join, resolve } from 'node:path';

/** The places within a home: the folder that holds one Luna. */
export interface HomePaths {
  readonly root: string;
  readonly config: string;
  /** The JSON Schema of `master_config.json`, for editors. */
  readonly configSchema: string;
  /** What `master_config.json` is made from at the first start, where a home brings it. */
  readonly configExample: string;
  readonly env: string;
  readonly extensions: string;
  readonly lua: string;
  readonly plugins: string;
  readonly http: string;
  readonly agents: string;
  readonly logs: string;
  /** Generated; safe to delete while Luna is stopped, except for the database and `extension_data`. */
  readonly generated: string;
  /** What was found of newer versions of extensions. */
  readonly autoUpdates: string;
  readonly lock: string;
  readonly database: string;
  readonly state: string;
  /** Luna's tokens for MCP servers, encrypted. Without it they have to be authorized anew. */
  readonly upstreamTokens: string;
  /** What MCP servers said of their tools when that was agreed to. */
  readonly pinnedTools: string;
  /** The rest of results that were cut, for an hour. */
  readonly results: string;
  /** What plugins said of themselves; they are asked again where it is missing. */
  readonly pluginDescriptions: string;
  readonly toolsManifest: string;
  readonly sessionLog: string;
  /** Where extensions keep data, one folder each. */
  readonly extensionData: string;
  /** Definitions of external services, with their settings and data. */
  readonly externalServices: string;
  /** What is known of external services. */
  readonly externalServiceRegistry: string;
  /** Where web interfaces of external services are. */
  readonly externalServiceRoutes: string;
  /** Logs of external services. */
  readonly externalServiceLogs: string;
}

export function homePaths(home: string): HomePaths {
  const root = resolve(home);
  const generated = join(root, '.luna');
  return {
    root,
    config: join(root, 'master_config.json'),
    configExample: join(root, 'master_config.example.json'),
    env: join(root, '.env'),
    lua: join(root, 'lua'),
    extensions: join(root, 'extensions'),
    plugins: join(root, 'plugins'),
    http: join(root, 'http'),
    agents: join(root, 'agents'),
    logs: join(root, 'logs'),
    generated,
    configSchema: join(generated, 'master_config.schema.json'),
    autoUpdates: join(generated, 'auto_updates.json'),
    lock: join(generated, 'lock.json'),
    database: join(generated, 'luna.db'),
    state: join(generated, 'state.json'),
    upstreamTokens: join(generated, 'upstream-tokens.json'),
    pinnedTools: join(generated, 'pinned_tools.json'),
    results: join(generated, 'results'),
    pluginDescriptions: join(generated, 'plugin_descriptions'),
    toolsManifest: join(generated, 'remote_mcp_tools_manifest.json'),
    sessionLog: join(root, 'logs', 'remote_mcp_sessions.log'),
    extensionData: join(generated, 'extension_data'),
    externalServices: join(root, 'external_services'),
    externalServiceRegistry: join(generated, 'external_services.json'),
    externalServiceRoutes: join(generated, 'external_service_routes.json'),
    externalServiceLogs: join(generated, 'logs'),
  };
}
