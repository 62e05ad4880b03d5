import type { HomePaths } from '../config/index.ts';
import {
  type CallTool,
  type EgressPolicy,
  ExtensionKind,
  HttpKind,
  LuaKind,
  McpKind,
  type McpKindOptions,
  PluginKind,
  type SourceKind,
} from '../sources/index.ts';
import type { LuaState } from '../store/index.ts';

/** What kinds of source get from the Luna that they belong to. */
export interface KindContext {
  readonly paths: HomePaths;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  readonly version: string;
  /** The values of `.env`, read anew. */
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly servicesOf: (extension: string) => Readonly<Record<string, string>>;
  readonly authorizeFor: McpKindOptions['authorizeFor'];
  readonly onSession: McpKindOptions['onSession'];
  readonly luaState: LuaState;
  /** Calls a tool on behalf of a script. */
  readonly callTool: CallTool;
  /** What scripts and forwarders may reach inside the network. */
  readonly egress: () => EgressPolicy;
  readonly onLog: (source: string, line: string) => void;
}

/** The kinds of source that Luna brings. Where two want one id, the one that stands first gets it. */
export function builtInKinds(context: KindContext): SourceKind[] {
  const { paths, owner, version, secrets, servicesOf, authorizeFor, onSession, luaState, callTool, egress, onLog } =
    context;
  return [
    new ExtensionKind({ folder: paths.extensions, dataFolder: paths.extensionData, owner, secrets, servicesOf, onLog }),
    new LuaKind({ folder: paths.lua, home: paths.root, state: luaState, secrets, egress, callTool, onLog }),
    new HttpKind({ folder: paths.http, egress, secrets, onLog }),
    new PluginKind({ folder: paths.plugins, cacheFolder: paths.pluginDescriptions, owner, secrets, onLog }),
    new McpKind({
      root: paths.root,
      owner,
      clientInfo: { name: 'luna', version },
      secrets,
      authorizeFor,
      onSession,
      onLog,
    }),
  ];
}
