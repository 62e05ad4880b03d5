import { ExtensionKind, McpKind, type McpKindOptions, PluginKind, type SourceKind } from '../sources/index.ts';
import type { HomePaths } from './home.ts';

/** What kinds of source get from the Luna that they belong to. */
export interface KindContext {
  readonly paths: HomePaths;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  readonly version: string;
  /** The values of `.env`, read anew. */
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly authorizeFor: McpKindOptions['authorizeFor'];
  readonly onSession: McpKindOptions['onSession'];
  readonly onLog: (source: string, line: string) => void;
}

/** The kinds of source that Luna brings. Where two want one id, the one that stands first gets it. */
export function builtInKinds(context: KindContext): SourceKind[] {
  const { paths, owner, version, secrets, authorizeFor, onSession, onLog } = context;
  return [
    new ExtensionKind({ folder: paths.extensions, dataFolder: paths.extensionData, secrets, onLog }),
    new PluginKind({ folder: paths.plugins, owner, secrets, onLog }),
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
