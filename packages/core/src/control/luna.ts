import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConfigState,
  type ConfigStore,
  type EnvFile,
  type HomePaths,
  luaPermissionsSchema,
} from '../config/index.ts';
import { LunaError, messageOf } from '../errors/index.ts';
import type { PlainJsonRpc } from '../hub/index.ts';
import type { Scheduler } from '../schedule/index.ts';
import type { ExternalServices, ServiceEvent } from '../services/index.ts';
import { LuaAuthoring, luaDepthKey, type SourceKind, watchFolders } from '../sources/index.ts';
import { LuaState, type Store } from '../store/index.ts';
import {
  type HomeLock,
  ownerMark,
  processesMarked,
  type StartPhases,
  type Supervisor,
  stopProcesses,
} from '../supervisor/index.ts';
import {
  type Caller,
  type CallRecord,
  idempotency,
  inTurn,
  KeptResults,
  ResultReader,
  record,
  resultLimit,
  schemaReview,
  ToolPipeline,
  ToolRegistry,
  type ToolSource,
  timeout,
} from '../tools/index.ts';
import { AutoUpdates, type Updates } from '../updates/index.ts';
import { Administration } from './administration.ts';
import { AgentAdministration } from './agent-administration.ts';
import { LunaAgents } from './agents.ts';
import { resultLimitOf, timeLimitsOf } from './call-limits.ts';
import { configSecrets } from './config-secrets.ts';
import { syncConfig } from './config-sync.ts';
import { ConfigurationFile } from './configuration-file.ts';
import { CoveredSecrets } from './covered-secrets.ts';
import { type Described, describeHubs, describeSources } from './describe.ts';
import { EnvironmentKeys } from './environment-keys.ts';
import { ExtensionServices } from './extension-services/index.ts';
import { ExternalServiceChanges, syncExternalServices, wantedServices } from './external-service-changes.ts';
import { HealthTool, healthOfHub } from './hub-health.ts';
import { Hubs } from './hubs.ts';
import { builtInKinds } from './kinds.ts';
import type { LunaOptions, LunaParts } from './luna-options.ts';
import { MisnamedFolders } from './misnamed-folders.ts';
import { PinnedTools } from './pinned-tools.ts';
import { configuredPlainJsonRpc } from './plain-json-rpc.ts';
import { Reconciler } from './reconcile.ts';
import { type LunaSchedules, lunaSchedules } from './schedules.ts';
import { SessionLog } from './session-log.ts';
import { SourceChanges } from './source-changes.ts';
import { counted, queueDetail, sourcesDetail } from './start-details.ts';
import { ToolsManifest } from './tools-manifest.ts';
import { openUpdates } from './updates.ts';
import { UpstreamAuthorizations } from './upstream-authorizations.ts';
import type { LunaEvent, StatusView } from './views.ts';

/** How many of the latest calls are kept for people to see. */
const recentCallCount = 100;
/** A source that takes longer for its first attempt no longer keeps Luna from being ready, in milliseconds. */
const startLimitMs = 5_000;
/** A queue that takes longer goes on while Luna starts, in milliseconds. */
const queueLimitMs = 60_000;
/** A new version of an extension that takes longer than this to load is taken back, in milliseconds. */
const extensionLoadMs = 35_000;

/**
 * A whole Luna on a home: configuration, sources, registry, pipeline and hubs, kept in step with the files by
 * reconciling. It knows no HTTP; a server mounts {@link hubs}, and shows and changes it through {@link admin}.
 */
export class Luna {
  readonly paths: HomePaths;
  readonly version: string;
  readonly registry: ToolRegistry;
  readonly pipeline: ToolPipeline;
  readonly config: ConfigStore;
  readonly env: EnvFile;
  /** The database of the home. */
  readonly store: Store;
  readonly hubs: Hubs;
  /** Agents, their face for clients of OpenAI, and what they have done. */
  readonly agents: LunaAgents;
  readonly agentAdmin: AgentAdministration;
  readonly authorizations: UpstreamAuthorizations;
  /** Keeps the programs of extensions running. */
  readonly supervisor: Supervisor;
  readonly services: ExtensionServices;
  /** Databases and the like, beside Luna. */
  readonly externalServices: ExternalServices;
  /** Changes of these that the configuration has a part in. */
  readonly externalServiceChanges: ExternalServiceChanges;
  /** What MCP servers say of their tools, and what was agreed to. */
  readonly pinnedTools: PinnedTools;
  /** The keys of `.env`, and what uses them. */
  readonly keys: EnvironmentKeys;
  /** The configuration as one file that can be reviewed and applied. */
  readonly configurationFile: ConfigurationFile;
  /** Changes that people and programs ask for. */
  readonly admin: Administration;
  /** Extensions that come, change and go. */
  readonly updates: Updates;
  /** Newer versions of extensions that ask to be updated by themselves. */
  readonly autoUpdates: AutoUpdates;
  readonly startedAt = Date.now();
  /** What the start went through, and how long each of it took. */
  readonly startPhases: StartPhases;
  publicUrl: string;
  readonly #options: LunaOptions;
  readonly #lock: HomeLock;
  readonly #kinds: readonly SourceKind[];
  readonly #misnamed = new MisnamedFolders((line) => this.#log('luna', line));
  readonly #reconciler: Reconciler;
  readonly #results: KeptResults;
  readonly #luaAuthoring: LuaAuthoring;
  readonly #schedules: LunaSchedules;
  readonly #sessions: SessionLog;
  readonly #manifest: ToolsManifest;
  readonly #listeners = new Set<(event: LunaEvent) => void>();
  readonly #callListeners = new Set<(call: CallRecord) => void>();
  readonly #sourceChanges = new SourceChanges((text) => this.#redact(text));
  readonly #recentCalls: CallRecord[] = [];
  #watchers: readonly { close(): Promise<void> }[] = [];
  #work: Promise<void> = Promise.resolve();
  readonly #covered = new CoveredSecrets();
  /** Whether what the configuration asks for is kept running. */
  #isUp = false;
  #isQueueTried = false;
  #ready = false;
  #stopping = false;
  #closing: Promise<void> | undefined;

  constructor(options: LunaOptions, parts: LunaParts) {
    this.#options = options;
    this.#lock = parts.lock;
    this.startPhases = parts.startPhases;
    this.paths = parts.paths;
    this.config = parts.config;
    this.env = parts.env;
    this.store = parts.store;
    this.supervisor = parts.supervisor;
    this.externalServices = parts.externalServices;
    this.externalServiceChanges = new ExternalServiceChanges({
      services: this.externalServices,
      config: this.config,
      settled: () => this.settled(0),
      onError: (message) => this.#log('external-services', message),
    });
    this.version = options.version;
    this.publicUrl = options.publicUrl ?? '';
    this.pinnedTools = new PinnedTools(
      {
        file: this.paths.pinnedTools,
        config: () => this.config.config,
        onDecided: (server) => this.registry.reviewAgain(server),
        onWaiting: () => this.#emit({ type: 'pinned-tools.changed' }),
        onError: (message) => this.#log('pinned-tools', message),
      },
      parts.pins,
    );
    this.registry = new ToolRegistry(inTurn(schemaReview(), this.pinnedTools.review));
    this.#results = new KeptResults({ folder: this.paths.results });
    this.pipeline = new ToolPipeline(this.registry)
      .use(record((call) => this.#recordCall(call)))
      .use(idempotency())
      .use(
        resultLimit({
          limitFor: (call) => resultLimitOf(call, this.config.config),
          results: this.#results,
          onCut: (caller) => this.#offerReader(caller),
        }),
      )
      .use(timeout((call) => timeLimitsOf(call, this.config.config, options.callLimits)));
    this.hubs = new Hubs({
      registry: this.registry,
      pipeline: this.pipeline,
      version: options.version,
      redact: (text) => this.#redact(text),
      onError: (hub, error) => this.#log(`hub:${hub}`, error.message),
    });
    this.authorizations = new UpstreamAuthorizations({
      file: this.paths.upstreamTokens,
      env: this.env,
      source: (id) => this.registry.source(id),
      onSecret: (token) => this.#covered.addToken(token),
      onLog: (server, line) => this.#log(server, line),
    });
    this.services = new ExtensionServices({
      paths: this.paths,
      config: this.config,
      supervisor: this.supervisor,
      secrets: () => this.#secrets(),
      publicUrl: () => this.publicUrl,
      redact: (text) => this.#redact(text),
      onLog: (from, line) => this.#log(from, line),
    });
    this.#sessions = new SessionLog({
      file: this.paths.sessionLog,
      redact: (text) => this.#redact(text),
      onError: (message) => this.#log('sessions', message),
    });
    this.#manifest = new ToolsManifest({
      file: this.paths.toolsManifest,
      sources: () => this.registry.sources(),
      configured: () => Object.keys(this.config.config.remote_mcp_servers),
      onError: (message) => this.#log('manifest', message),
    });
    const builtIn = builtInKinds({
      paths: this.paths,
      owner: parts.lock.owner,
      version: options.version,
      secrets: () => this.#secrets(),
      servicesOf: (extension) => this.services.urlsOf(extension),
      authorizeFor: (id, server) => this.authorizations.authorizeFor(id, server),
      onLog: (source, line) => this.#log(source, line),
      onSession: (server, event) => this.#sessions.write(server, event),
      luaState: new LuaState(this.store),
      egress: () => ({ allowedHosts: this.config.config.luna.allowed_private_hosts, allowPrivateNetwork: false }),
      callTool: (name, args, { tool, depth, signal, requestId }) =>
        this.pipeline.call({
          name,
          args,
          caller: { kind: 'lua', name: tool },
          signal,
          meta: { [luaDepthKey]: depth },
          requestId,
        }),
    });
    this.#kinds = [...builtIn, ...(options.kinds ?? [])];
    this.#reconciler = new Reconciler({
      kinds: this.#kinds,
      registry: this.registry,
      onLog: (source, line) => this.#log(source, line),
      onChange: () => {
        this.#manifest.changed();
        for (const change of this.#sourceChanges.look(this.registry.sources())) this.#emit(change);
        this.#emit({ type: 'sources.changed' });
      },
    });
    this.agents = new LunaAgents({
      registry: this.registry,
      pipeline: this.pipeline,
      config: () => this.config.config,
      env: this.env,
      environment: options.environment ?? {},
      store: this.store,
      redact: (text) => this.#redact(text),
      folder: this.paths.agents,
      onRun: (run) => this.#emit({ type: 'run.ended', run }),
      onChange: () => this.#emit({ type: 'agents.changed' }),
      onLog: (line) => this.#log('agents', line),
    });
    this.agentAdmin = new AgentAdministration(this);
    this.admin = new Administration(this);
    this.keys = new EnvironmentKeys({
      env: this.env,
      config: () => this.config.config,
      usedKeys: () => this.#reconciler.usedKeys(this.config.config),
      settled: () => this.settled(startLimitMs),
    });
    this.configurationFile = new ConfigurationFile({
      config: this.config,
      env: this.env,
      settled: () => this.settled(startLimitMs),
    });
    this.updates = openUpdates({
      paths: this.paths,
      config: this.config,
      env: this.env,
      registry: this.registry,
      owner: parts.lock.owner,
      installExternalService: options.installExternalService ?? this.externalServiceChanges.installQueued,
      updateCore: options.updateCore,
      judgeCoreUpdate: options.judgeCoreUpdate,
      exclusively: (work) => this.#exclusively(work),
      reload: async (name) => {
        await this.#entryChanged(this.#kindOf('extension'), name);
        await this.settled(extensionLoadMs);
      },
      onEvent: (event) => this.#emit(event),
      onLog: (line) => this.#log('updates', line),
    });
    this.autoUpdates = new AutoUpdates({
      updates: this.updates,
      config: this.config,
      extensions: this.paths.extensions,
      file: this.paths.autoUpdates,
      onChange: () => this.#emit({ type: 'sources.changed' }),
      onLog: (line) => this.#log('updates', line),
    });
    this.#luaAuthoring = new LuaAuthoring({
      folder: this.paths.lua,
      permitted: () => this.config.config.luna.lua_authoring_permissions ?? luaPermissionsSchema.parse({}),
      settled: async (tool) => {
        // The watcher would come to it too; whoever wrote the tool waits for it.
        await this.#entryChanged(this.#kindOf('lua'), tool);
        await this.settled();
        return this.registry.source(tool)?.health();
      },
      callTool: (name, args, { signal, meta, requestId }) =>
        this.pipeline.call({ name, args, signal, meta, requestId, caller: { kind: 'lua', name: 'lua_tool_test' } }),
    });
    this.#schedules = lunaSchedules({
      store: this.store,
      hubs: this.hubs,
      pipeline: this.pipeline,
      config: () => this.config.config,
      agents: this.agents,
      redact: (text) => this.#redact(text),
      onEvent: (event) => this.#emit(event),
      onError: (error) => this.#log('schedules', error.message),
    });
    const healthTool = new HealthTool((name) => {
      const running = this.hubs.get(name);
      return running && healthOfHub(running.hub, this.registry);
    });
    this.registry.onChange(() => healthTool.offerIn(this.registry));
    this.registry.onChange(() => this.#emit({ type: 'tools.changed' }));
    this.config.onChange((state) => this.#configChanged(state));
    this.env.onChange((keys) => this.#keysChanged(keys));
  }

  /** What runs at times. */
  get schedules(): Scheduler {
    return this.#schedules.scheduler;
  }

  /** The agents and presets that a schedule can ask. */
  schedulableAgents(): ReturnType<LunaSchedules['agents']> {
    return this.#schedules.agents();
  }

  /** Whether every source has had its first attempt, and Luna does not end. */
  get ready(): boolean {
    return this.#ready && !this.#stopping;
  }

  /** Whether {@link close} was called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Starts what the configuration asks for and begins to watch; settles when sources have had their first attempt. */
  async start(): Promise<void> {
    const phases = this.startPhases;
    const hasQueue = phases.isGoingOn('update_queue');
    if (hasQueue)
      await phases.run(
        'update_queue',
        () => this.#continueQueue(),
        (detail) => detail,
      );
    if (this.#closing) return;
    await this.#bringUp(hasQueue);
    if (this.#closing) return;
    const installed = this.externalServices.installedNames().length;
    await phases.run(
      'external_services',
      () => this.externalServices.start(wantedServices(this.config.config)),
      () => (installed === 0 ? 'None is installed.' : `${counted(installed, 'service')}.`),
    );
    const monitor = phases.begin('health_monitor');
    await Promise.all([this.config.watch(), this.env.watch()]);
    const surfaces = phases.begin('core_surfaces');
    await this.agents.start().catch((thrown: unknown) => {
      surfaces.failed(thrown);
      throw thrown;
    });
    const hubs = describeHubs(this.described).filter(({ enabled }) => enabled).length;
    const agents = this.agentAdmin.builtIn().length + this.agentAdmin.presets().length;
    surfaces.done(`${counted(hubs, 'hub')}, ${counted(agents, 'agent')}.`);
    this.#watchers = await Promise.all(this.#kinds.flatMap((kind) => this.#watch(kind)));
    await Promise.all([this.#reconciler.settled(startLimitMs), this.supervisor.settled(startLimitMs)]);
    const { sources, services } = await this.status();
    phases.begin('extensions').done(sourcesDetail(sources, services));
    await this.schedules.start();
    monitor.done('Files, sources and services are watched.');
    this.#ready = true;
    this.#emit({ type: 'sources.changed' });
    if (!this.#isQueueTried) await this.updates.resume();
    await this.autoUpdates.start();
  }

  /** Waits until all changes so far have been applied, and sources that they started have had their first attempt. */
  async settled(limitMs = 10_000): Promise<void> {
    await this.#work;
    await this.#reconciler.settled(limitMs);
  }

  /** Ends everything that was started here and gives the home free; also while it starts. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.#stopping) this.#emit({ type: 'stopping' });
    this.#stopping = true;
    await Promise.all([this.updates.close(), this.autoUpdates.close()]);
    await Promise.all(this.#watchers.map((watcher) => watcher.close()));
    await Promise.all([this.config.close(), this.env.close()]);
    await this.#work;
    await this.schedules.close();
    await this.hubs.close();
    await this.agents.close();
    await this.#manifest.close();
    await Promise.all([this.#reconciler.close(), this.supervisor.close(), this.externalServices.close()]);
    // What left the groups of its parents is not forgotten either.
    await stopProcesses(await processesMarked(ownerMark, this.#lock.owner));
    await Promise.all([this.#sessions.flushed(), this.#manifest.close(), this.pinnedTools.flushed()]);
    this.#listeners.clear();
    this.#callListeners.clear();
    await this.store.close();
    await this.#results.close();
    await this.#lock.release();
  }

  /** Calls the listener for each event; returns how to stop. */
  onEvent(listener: (event: LunaEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells everyone who listens of an event that came about outside of this object. */
  announce(event: LunaEvent): void {
    this.#emit(event);
  }

  /** Calls the listener for each call of a tool that ended; returns how to stop. It stands in the way of every call. */
  onCall(listener: (call: CallRecord) => void): () => void {
    this.#callListeners.add(listener);
    return () => this.#callListeners.delete(listener);
  }

  /** Covers what is known to be secret: the values of `.env`, and tokens for MCP servers. */
  redact(text: string): string {
    return this.#redact(text);
  }

  /** @internal Told by external services. */
  externalServicesChanged(event: ServiceEvent): void {
    this.#emit(event);
  }

  /** @internal What goes wrong out of anyone's sight. */
  logError(from: string, line: string): void {
    this.#log(from, line);
  }

  /** @internal Told by the supervisor. */
  servicesChanged(): void {
    this.#emit({ type: 'services.changed' });
    void this.services.wantsOtherPort().then((wants) => {
      if (wants && !this.#stopping) void this.#reconcile();
    });
  }

  /** Tools by plain JSON-RPC, for a route that guards it by a token. */
  plainJsonRpc(onError: (error: unknown) => void): PlainJsonRpc {
    const { registry, pipeline, hubs } = this;
    const redact = (text: string) => this.#redact(text);
    return configuredPlainJsonRpc({ registry, pipeline, hubs, config: () => this.config.config, redact, onError });
  }

  /** What the views are made from. */
  get described(): Described {
    const { registry, hubs, paths, publicUrl } = this;
    return {
      config: this.config.config,
      registry,
      hubs,
      extensionsFolder: paths.extensions,
      home: paths.root,
      publicUrl,
      redact: (text) => this.#redact(text),
      isAuthorized: (id) => this.authorizations.isAuthorized(id),
    };
  }

  async status(): Promise<StatusView> {
    const { error } = this.config.state;
    return {
      version: this.version,
      pid: process.pid,
      home: this.paths.root,
      url: this.publicUrl,
      startedAt: this.startedAt,
      uptimeSeconds: Math.round((Date.now() - this.startedAt) / 1000),
      node: process.version,
      memoryRssBytes: process.memoryUsage.rss(),
      config: { file: this.paths.config, valid: !error, ...(error && { error: error.message }) },
      hubs: describeHubs(this.described),
      sources: await describeSources(this.described),
      services: await this.services.describe(),
      toolCount: this.registry.tools().size,
      phases: [...this.startPhases.all],
      recentCalls: [...this.#recentCalls].reverse(),
    };
  }

  #configChanged(state: ConfigState): void {
    const { error } = state;
    if (error) this.#log('config', error.message);
    this.#emit({ type: 'config.changed', valid: !error, ...(error && { error: error.message }) });
    // A hub that was added by hand has no key yet; a key that was changed by hand is not mirrored yet.
    void this.#reconcile(error ? undefined : () => this.#sync());
  }

  #keysChanged(keys: ReadonlySet<string>): void {
    this.#work = this.#work.then(async () => {
      await this.#secrets();
      await this.#reconciler.keysChanged(keys);
      if (this.#isUp) await this.#applyServices();
      this.#emit({ type: 'keys.changed' });
    });
  }

  async #sync(): Promise<void> {
    const toolsOf = (extension: string) =>
      [...this.registry.tools().values()].filter(({ source }) => source.id === extension);
    await syncConfig(this.config, this.env, this.paths, { version: this.version, toolsOf });
    await syncExternalServices(this.config, this.externalServices);
  }

  #watch(kind: SourceKind): Promise<{ close(): Promise<void> }>[] {
    return kind.folder === undefined
      ? []
      : [watchFolders(kind.folder, (entry) => void this.#entryChanged(kind, entry))];
  }

  async #entryChanged(kind: SourceKind, entry: string): Promise<void> {
    const known = this.#reconciler.sourceOf(kind, entry);
    if (!this.#isUp) await this.#loadAlone(kind, entry);
    // An entry that came or went is a change of what should run; anything else is a change within what runs.
    await this.#reconcile(() => this.#sync());
    if (known) await this.#reconciler.reload(known);
  }

  /** While Luna starts: one entry is loaded before all others. */
  #loadAlone(kind: SourceKind, entry: string): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#closing || this.#isUp) return;
      await this.#secrets();
      await this.#reconciler.apply(this.config.config, { kind, entry });
    });
    return this.#work;
  }

  #kindOf(name: string): SourceKind {
    const kind = this.#kinds.find((one) => one.name === name);
    if (!kind) throw new LunaError('internal', `There is no kind of source "${name}".`);
    return kind;
  }

  /** Tools of Luna's own are there when a hub wants them. */
  #offerOwnTools(): void {
    const hubs = Object.values(this.config.config.mcp_servers);
    const offer = (source: ToolSource, isWanted: boolean) => {
      if (isWanted && !this.registry.source(source.id)) this.registry.add(source);
      else if (!isWanted) this.registry.remove(source.id);
    };
    offer(
      this.#luaAuthoring,
      hubs.some((hub) => hub.lua_authoring === true),
    );
    offer(
      this.#schedules.tools,
      hubs.some((hub) => hub.schedules === true),
    );
  }

  /** One change after another, whoever caused it; the last one sees the last configuration. */
  #reconcile(before?: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      // What changes before that is taken over when the start comes to it.
      if (this.#closing || !this.#isUp) return;
      try {
        await before?.();
      } catch (thrown) {
        this.#log('config', String(thrown));
      }
      await this.#applySurfaces();
      await this.#applySources();
    });
    return this.#work;
  }

  /** The first time that everything is made as the configuration asks for. */
  #bringUp(isRecovered: boolean): Promise<void> {
    const phases = this.startPhases;
    this.#work = this.#work.then(async () => {
      if (this.#closing) return;
      this.#isUp = true;
      const { etag } = this.config.state;
      const synced = () => (this.config.state.etag === etag ? 'Nothing to add.' : 'master_config.json was completed.');
      // A file that cannot be written keeps nobody from starting.
      await phases
        .run('config_sync', () => this.#sync(), synced)
        .catch((thrown: unknown) => this.#log('config', String(thrown)));
      const reset = async () => {
        const ended = await this.supervisor.reset();
        if (!isRecovered) await this.updates.recover();
        return ended;
      };
      await phases.run('state_reset', reset, (ended) =>
        ended === 0 ? 'Nothing was left running.' : `${counted(ended, 'process')} of an earlier Luna ended.`,
      );
      phases.begin('core_surfaces');
      await this.#applySurfaces();
      phases.begin('extensions');
      await this.#applySources();
    });
    return this.#work;
  }

  /** Does what an earlier Luna left to do to extensions, while nothing else of them runs. Says what came of it. */
  async #continueQueue(): Promise<string> {
    await this.supervisor.reset();
    await this.updates.recover();
    const { queue } = await this.updates.current().catch(() => ({ queue: null }));
    // These take part in what runs, and are not there yet.
    const canRun = queue?.operations.every(({ type }) => type === 'install' || type === 'update' || type === 'delete');
    if (canRun) {
      this.#isQueueTried = true;
      await this.updates.resume();
      await Promise.race([this.updates.idle(), sleep(queueLimitMs, undefined, { ref: false })]);
    }
    const isBusy = this.updates.isBusy;
    return this.updates.current().then(
      (current) => queueDetail(current, isBusy),
      (thrown: unknown) => messageOf(thrown),
    );
  }

  async #applySurfaces(): Promise<void> {
    await this.#secrets();
    this.#offerOwnTools();
    await this.hubs.apply(this.config.config);
    this.pinnedTools.forgetOthers(Object.keys(this.config.config.remote_mcp_servers));
  }

  async #applySources(): Promise<void> {
    await this.#misnamed.tell(this.#kinds).catch((thrown: unknown) => this.#log('luna', String(thrown)));
    await this.#reconciler.apply(this.config.config);
    await this.#applyServices();
    this.externalServices.apply(wantedServices(this.config.config));
    this.#emit({ type: 'hubs.changed' });
  }

  /** What goes wrong with one is no reason to leave anything else undone. */
  async #applyServices(): Promise<void> {
    await this.services.apply().catch((thrown: unknown) => this.#log('services', String(thrown)));
  }

  /** Between two changes: nothing is started or stopped meanwhile. */
  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#work.then(work);
    this.#work = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #secrets(): Promise<Record<string, string>> {
    const values = await this.env.read();
    this.#covered.setValues([...Object.values(values), ...configSecrets(this.config.config)]);
    return values;
  }

  #redact(text: string): string {
    return this.#covered.redact(text);
  }

  #recordCall(ended: CallRecord): void {
    const { errorMessage } = ended;
    const call = errorMessage === undefined ? ended : { ...ended, errorMessage: this.#redact(errorMessage) };
    for (const listener of this.#callListeners) listener(call);
    this.#recentCalls.push(call);
    if (this.#recentCalls.length > recentCallCount) this.#recentCalls.shift();
    if (this.#listeners.size > 0) this.#emit({ type: 'call.ended', call: { ...call } });
  }

  /** The tool for the rest of results is there from the first one on that was cut, and for whom that happened. */
  #offerReader({ kind, name }: Caller): void {
    const reader = new ResultReader(this.#results);
    if (!this.registry.source(reader.id)) this.registry.add(reader);
    if (kind === 'hub' && name !== undefined) this.hubs.offerReader(name, this.config.config);
  }

  #log(from: string, line: string): void {
    this.#options.onLog?.({ from, line: this.#redact(line) });
  }

  #emit(event: LunaEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
