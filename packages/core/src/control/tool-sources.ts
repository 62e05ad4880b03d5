import type { ConfigStore, EnvFile, HomePaths } from '../config/index.ts';
import { type EgressPolicy, luaDepthKey, type SourceKind } from '../sources/index.ts';
import { LuaState, type Store } from '../store/index.ts';
import type { ToolPipeline, ToolRegistry } from '../tools/index.ts';
import { builtInKinds } from './kinds.ts';
import { Reconciler } from './reconcile.ts';
import { SessionLog } from './session-log.ts';
import { SourceChanges } from './source-changes.ts';
import { ToolsManifest } from './tools-manifest.ts';
import { UpstreamAuthorizations } from './upstream-authorizations.ts';
import type { LunaEvent } from './views.ts';

export interface ToolSourcesOptions {
  readonly paths: HomePaths;
  readonly config: ConfigStore;
  readonly env: EnvFile;
  readonly store: Store;
  readonly registry: ToolRegistry;
  /** Scripts call tools through it. */
  readonly pipeline: ToolPipeline;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  readonly version: string;
  /** Kinds beside those that Luna brings. */
  readonly otherKinds: readonly SourceKind[];
  /** Where the programs of an extension are. */
  readonly servicesOf: (extension: string) => Readonly<Record<string, string>>;
  /** The values of `.env`, read anew. */
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  /** What may be reached inside the network. */
  readonly egress: () => EgressPolicy;
  readonly redact: (text: string) => string;
  /** Told of tokens for MCP servers. */
  readonly onSecret: (token: string) => void;
  readonly onEvent: (event: LunaEvent) => void;
  readonly onLog: (from: string, line: string) => void;
}

/** Where the tools of one Luna come from, and what is written down of it. */
export interface ToolSources {
  readonly kinds: readonly SourceKind[];
  readonly reconciler: Reconciler;
  readonly authorizations: UpstreamAuthorizations;
  readonly sessions: SessionLog;
  readonly manifest: ToolsManifest;
}

/** The kinds of source, and what keeps their sources in step. None runs before {@link Reconciler.apply}. */
export function lunaToolSources(options: ToolSourcesOptions): ToolSources {
  const { paths, config, env, registry, pipeline, secrets, redact, onEvent, onLog } = options;
  const authorizations = new UpstreamAuthorizations({
    file: paths.upstreamTokens,
    env,
    source: (id) => registry.source(id),
    onSecret: options.onSecret,
    onLog,
  });
  const sessions = new SessionLog({
    file: paths.sessionLog,
    redact,
    onError: (message) => onLog('sessions', message),
  });
  const manifest = new ToolsManifest({
    file: paths.toolsManifest,
    sources: () => registry.sources(),
    configured: () => Object.keys(config.config.remote_mcp_servers),
    onError: (message) => onLog('manifest', message),
  });
  const builtIn = builtInKinds({
    paths,
    owner: options.owner,
    version: options.version,
    secrets,
    servicesOf: options.servicesOf,
    authorizeFor: (id, server) => authorizations.authorizeFor(id, server),
    onLog,
    onSession: (server, event) => sessions.write(server, event),
    luaState: new LuaState(options.store),
    egress: options.egress,
    callTool: (name, args, { tool, depth, signal, requestId }) =>
      pipeline.call({
        name,
        args,
        caller: { kind: 'lua', name: tool },
        signal,
        meta: { [luaDepthKey]: depth },
        requestId,
      }),
  });
  const kinds = [...builtIn, ...options.otherKinds];
  const sourceChanges = new SourceChanges(redact);
  const reconciler = new Reconciler({
    kinds,
    registry,
    onLog,
    onChange: () => {
      manifest.changed();
      for (const change of sourceChanges.look(registry.sources())) onEvent(change);
      onEvent({ type: 'sources.changed' });
    },
  });
  return { kinds, reconciler, authorizations, sessions, manifest };
}
