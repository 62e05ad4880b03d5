import type { ConfigStore, EnvFile, HomePaths } from '../config/index.ts';
import type { PlainJsonRpc } from '../hub/index.ts';
import type { Scheduler } from '../schedule/index.ts';
import type { ExternalServices, ServiceEvent } from '../services/index.ts';
import type { Store } from '../store/index.ts';
import { ownerMark, processesMarked, type StartPhases, type Supervisor, stopProcesses } from '../supervisor/index.ts';
import type { CallRecord, ToolPipeline, ToolRegistry } from '../tools/index.ts';
import type { AutoUpdates, Updates } from '../updates/index.ts';
import { Administration } from './administration.ts';
import { AgentAdministration } from './agent-administration.ts';
import type { LunaAgents } from './agents.ts';
import { type Assembled, assemble } from './assemble.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import { type Described, describeStatus } from './describe.ts';
import type { EnvironmentKeys } from './environment-keys.ts';
import type { ExtensionServices } from './extension-services/index.ts';
import type { ExternalServiceChanges } from './external-service-changes.ts';
import type { Hubs } from './hubs.ts';
import type { LunaOptions, LunaParts } from './luna-options.ts';
import type { PinnedTools } from './pinned-tools.ts';
import { configuredPlainJsonRpc } from './plain-json-rpc.ts';
import type { LunaSchedules } from './schedules.ts';
import { startLuna } from './start.ts';
import type { UpstreamAuthorizations } from './upstream-authorizations.ts';
import type { LunaEvent, StatusView } from './views.ts';

/** How long what is under way may go on when Luna ends, in milliseconds. Ending all else takes up to seven seconds. */
const drainMs = 2_500;

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
  readonly #parts: LunaParts;
  readonly #made: Assembled;
  #ready = false;
  #stopping = false;
  #closing: Promise<void> | undefined;

  constructor(options: LunaOptions, parts: LunaParts) {
    const made = assemble(options, parts, () => this.publicUrl);
    this.#parts = parts;
    this.#made = made;
    this.paths = parts.paths;
    this.version = options.version;
    this.publicUrl = options.publicUrl ?? '';
    this.config = parts.config;
    this.env = parts.env;
    this.store = parts.store;
    this.supervisor = parts.supervisor;
    this.externalServices = parts.externalServices;
    this.startPhases = parts.startPhases;
    this.registry = made.registry;
    this.pipeline = made.pipeline;
    this.hubs = made.hubs;
    this.agents = made.agents;
    this.authorizations = made.authorizations;
    this.services = made.services;
    this.externalServiceChanges = made.externalServiceChanges;
    this.pinnedTools = made.pinnedTools;
    this.keys = made.keys;
    this.configurationFile = made.configurationFile;
    this.updates = made.updates;
    this.autoUpdates = made.autoUpdates;
    this.agentAdmin = new AgentAdministration(this);
    this.admin = new Administration(this);
  }

  /** What runs at times. */
  get schedules(): Scheduler {
    return this.#made.schedules.scheduler;
  }

  /** The agents and presets that a schedule can ask. */
  schedulableAgents(): ReturnType<LunaSchedules['agents']> {
    return this.#made.schedules.agents();
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
  start(): Promise<void> {
    const { agentAdmin } = this;
    return startLuna({ ...this.#parts, ...this.#made, agentAdmin, described: () => this.described }, () => {
      this.#ready = true;
    });
  }

  /** Waits until all changes so far have been applied, and sources that they started have had their first attempt. */
  settled(limitMs = 10_000): Promise<void> {
    return this.#made.changes.settled(limitMs);
  }

  /** Ends everything that was started here and gives the home free; also while it starts. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { callsUnderWay, changes, events, manifest, reconciler, results, sessions } = this.#made;
    if (!this.#stopping) events.emit({ type: 'stopping' });
    this.#stopping = true;
    changes.stop();
    await Promise.all([this.updates.close(), this.autoUpdates.close()]);
    await changes.unwatch();
    await Promise.all([this.config.close(), this.env.close()]);
    await changes.idle();
    await this.schedules.close();
    // Answers that take no longer reach those who wait for them.
    await Promise.all([callsUnderWay.none(drainMs), this.agents.close()]);
    await this.hubs.close();
    await manifest.close();
    await Promise.all([reconciler.close(), this.supervisor.close(), this.externalServices.close()]);
    // What left the groups of its parents is not forgotten either.
    await stopProcesses(await processesMarked(ownerMark, this.#parts.lock.owner));
    await Promise.all([sessions.flushed(), manifest.close(), this.pinnedTools.flushed()]);
    events.close();
    await this.store.close();
    await results.close();
    await this.#parts.lock.release();
  }

  /** Calls the listener for each event; returns how to stop. */
  onEvent(listener: (event: LunaEvent) => void): () => void {
    return this.#made.events.onEvent(listener);
  }

  /** Tells everyone who listens of an event that came about outside of this object. */
  announce(event: LunaEvent): void {
    this.#made.events.emit(event);
  }

  /** Calls the listener for each call of a tool that ended; returns how to stop. It stands in the way of every call. */
  onCall(listener: (call: CallRecord) => void): () => void {
    return this.#made.events.onCall(listener);
  }

  /** Covers what is known to be secret: the values of `.env`, and tokens for MCP servers. */
  redact(text: string): string {
    return this.#made.redact(text);
  }

  /** @internal Told by external services. */
  externalServicesChanged(event: ServiceEvent): void {
    this.#made.events.emit(event);
  }

  /** @internal What goes wrong out of anyone's sight. */
  logError(from: string, line: string): void {
    this.#made.onLog(from, line);
  }

  /** @internal Told by the supervisor. */
  servicesChanged(): void {
    this.#made.events.emit({ type: 'services.changed' });
    void this.services.wantsOtherPort().then((wants) => {
      if (wants && !this.#stopping) void this.#made.changes.reconcile();
    });
  }

  /** Tools by plain JSON-RPC, for a route that guards it by a token. */
  plainJsonRpc(onError: (error: unknown) => void): PlainJsonRpc {
    const { registry, pipeline, hubs } = this;
    const { redact } = this.#made;
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
      redact: this.#made.redact,
      isAuthorized: (id) => this.authorizations.isAuthorized(id),
    };
  }

  status(): Promise<StatusView> {
    return describeStatus(this, this.#made.events.recentCalls);
  }
}
