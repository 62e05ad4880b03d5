import {
  type ConfigStore,
  type HomePaths,
  type MasterConfig,
  mainHubName,
  type RemoteServerConfig,
} from '../config/index.ts';
import { foldersIn, McpSource, targetOf } from '../sources/index.ts';
import type { StartPhases } from '../supervisor/index.ts';
import type { ToolRegistry, ToolSource } from '../tools/index.ts';
import type { ExtensionServices } from './extension-services/index.ts';
import { type Hubs, hubSelection } from './hubs.ts';
import type {
  CallView,
  HubView,
  HubWithKeyView,
  RemoteServerView,
  SourceView,
  StatusView,
  ToolsBySourceView,
  ToolView,
} from './views.ts';

/** Makes views of the state of a running Luna. */

/** What the status of a Luna is made from. */
export interface Running {
  readonly version: string;
  readonly startedAt: number;
  readonly paths: HomePaths;
  readonly config: ConfigStore;
  readonly services: Pick<ExtensionServices, 'describe'>;
  readonly startPhases: StartPhases;
  readonly described: Described;
}

export interface Described {
  readonly config: MasterConfig;
  readonly registry: ToolRegistry;
  readonly hubs: Hubs;
  readonly extensionsFolder: string;
  readonly home: string;
  /** The address that people reach this Luna under, without a slash at the end. */
  readonly publicUrl: string;
  /** Whether Luna holds tokens for a server that people authorize. */
  readonly isAuthorized: (server: string) => boolean;
  /** Covers secrets in what sources say of themselves. */
  readonly redact: (text: string) => string;
}

/** `recentCalls`: the last one first. */
export async function describeStatus(luna: Running, recentCalls: CallView[]): Promise<StatusView> {
  const { described } = luna;
  const { error } = luna.config.state;
  return {
    version: luna.version,
    pid: process.pid,
    home: luna.paths.root,
    url: described.publicUrl,
    startedAt: luna.startedAt,
    uptimeSeconds: Math.round((Date.now() - luna.startedAt) / 1000),
    node: process.version,
    memoryRssBytes: process.memoryUsage.rss(),
    config: { file: luna.paths.config, valid: !error, ...(error && { error: error.message }) },
    hubs: describeHubs(described),
    sources: await describeSources(described),
    services: await luna.services.describe(),
    toolCount: described.registry.tools().size,
    phases: [...luna.startPhases.all],
    recentCalls,
  };
}

const stopped = { status: 'stopped', reason: 'It is switched off.' } as const;

/** Every source that runs or could run. */
export async function describeSources({
  config,
  registry,
  extensionsFolder,
  redact,
}: Described): Promise<SourceView[]> {
  const running = registry
    .sources()
    .filter(({ kind }) => kind !== 'builtin')
    .map((source) => describeSource(source, registry, redact));
  const known = new Set(running.map((source) => source.id));
  const off = (id: string, kind: string, title?: string): SourceView[] =>
    known.has(id) ? [] : [{ id, kind, title, enabled: false, health: stopped, toolCount: 0 }];
  const extensions = (await foldersIn(extensionsFolder)).flatMap((name) => off(name, 'extension'));
  const servers = Object.entries(config.remote_mcp_servers).flatMap(([id, server]) => off(id, 'mcp', server.title));
  return [...running, ...extensions, ...servers].sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function describeToolsBySource(state: Described): Promise<ToolsBySourceView> {
  const tools = new Map<string, ToolView[]>();
  const selections = Object.entries(state.config.mcp_servers).map(([name, hub]) => ({
    name,
    sees: hubSelection(hub, state.config),
  }));
  for (const registered of state.registry.tools().values()) {
    const { name, qualifiedName, source, tool } = registered;
    const examples = source.examplesOf?.(tool.name) ?? [];
    const view: ToolView = {
      name,
      qualifiedName,
      sourceName: tool.name,
      source: source.id,
      title: tool.title,
      description: tool.description,
      inputSchema: { ...tool.inputSchema },
      outputSchema: tool.outputSchema && { ...tool.outputSchema },
      annotations: tool.annotations && { ...tool.annotations },
      ...(examples.length > 0 && { examples: examples.map((example) => ({ ...example })) }),
      hubs: Object.fromEntries(selections.map((hub) => [hub.name, hub.sees(registered)])),
    };
    const listed = tools.get(source.id);
    if (listed) listed.push(view);
    else tools.set(source.id, [view]);
  }
  const sources = await describeSources(state);
  return { sources: sources.map((source) => ({ ...source, tools: tools.get(source.id) ?? [] })) };
}

export function describeHubs(state: Described): HubView[] {
  return Object.keys(state.config.mcp_servers).map((name) => describeHub(state, name));
}

export function describeHub({ config, hubs, registry, publicUrl }: Described, name: string): HubView {
  const hub = config.mcp_servers[name];
  const running = hubs.get(name);
  const selection = hub && hubSelection(hub, config);
  const path = name === mainHubName ? '/api/mcp' : `/api/mcp-${name}`;
  return {
    name,
    enabled: hub?.enabled ?? false,
    access: name === mainHubName ? 'oauth' : 'key',
    path,
    url: publicUrl + path,
    toolCount: selection ? [...registry.tools().values()].filter(selection).length : 0,
    sessions: running?.http.sessionCount ?? 0,
    streams: running?.http.streamCount ?? 0,
  };
}

export function describeHubWithKey(state: Described, name: string): HubWithKeyView {
  const hub = state.config.mcp_servers[name];
  return {
    ...describeHub(state, name),
    apiKey: hub?.api_key ?? '',
    keyIsHashed: hub?.api_key_hash !== undefined,
    callsPerMinute: hub?.rate_limit?.calls_per_minute,
    toolConfig: hub?.tool_config ?? {},
  };
}

export function describeRemote(
  { config, registry, home, redact, isAuthorized }: Described,
  id: string,
): RemoteServerView {
  const server: RemoteServerConfig | undefined = config.remote_mcp_servers[id];
  const source = registry.source(id);
  const target = server && targetOf(server, home);
  const agreement = source instanceof McpSource ? source.agreement : undefined;
  const configured = target?.kind === 'stdio' ? 'stdio' : target?.kind === 'sse' ? 'sse' : 'http';
  return {
    id,
    title: server?.title ?? id,
    enabled: server?.enabled ?? false,
    transport: agreement?.transport ?? configured,
    target: target?.kind === 'stdio' ? [target.command, ...(target.args ?? [])].join(' ') : (server?.url ?? ''),
    health: source ? copyHealth(source, redact) : stopped,
    protocolVersion: agreement?.protocolVersion,
    authorized: isAuthorized(id),
    // As the server sent them, so anything may be there.
    tools:
      source?.list().map(({ name, description }: { name: string; description?: unknown }) => ({
        name,
        ...(typeof description === 'string' && { description }),
      })) ?? [],
  };
}

function describeSource(source: ToolSource, registry: ToolRegistry, redact: Described['redact']): SourceView {
  const reviewed = registry.reviewed(source.id);
  const warnings = reviewed.flatMap(({ tool, heldBack, note }) => {
    const text = heldBack ?? note;
    return text === undefined ? [] : [{ tool: tool.name, text: redact(text), heldBack: heldBack !== undefined }];
  });
  return {
    id: source.id,
    kind: source.kind,
    title: source.title,
    enabled: true,
    health: copyHealth(source, redact),
    toolCount: reviewed.filter(({ heldBack }) => heldBack === undefined).length,
    ...(warnings.length > 0 && { warnings }),
    ...(source.systemPrompt !== undefined && { systemPrompt: source.systemPrompt }),
  };
}

function copyHealth(source: ToolSource, redact: Described['redact']): SourceView['health'] {
  const { log, reason, ...health } = source.health();
  return { ...health, ...(reason !== undefined && { reason: redact(reason) }), ...(log && { log: log.map(redact) }) };
}
