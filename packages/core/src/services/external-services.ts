import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type EnvFile, writeFileDurably } from '../config/index.ts';
import { LunaError, messageOf } from '../errors/index.ts';
import { processRestartPolicy, type RestartPolicy } from '../supervisor/index.ts';
import { CoveredLog } from './covered-log.ts';
import { readDefinition } from './definition.ts';
import { DefinitionFolders, type Unpack } from './definition-folders.ts';
import { type ServiceDefinition, titleOf } from './definition-shape.ts';
import { describeDefinition, describeService } from './describe-service.ts';
import { type FormValues, fillForm, openValues } from './form.ts';
import { type ServiceRecord, ServiceRegistry } from './registry.ts';
import { ManagedService } from './service.ts';
import { ServiceBook } from './service-book.ts';
import { routeOf, type ServiceRoute, withoutTwins } from './service-routes.ts';
import { readValues, valuesThatFit } from './values-file.ts';
import type { AvailableExternalServiceView, ExternalServiceDetailView, ExternalServiceView } from './views.ts';

export interface ExternalServicesOptions {
  /** The home: commands run there. */
  readonly home: string;
  /** `external_services` of the home. */
  readonly folder: string;
  /** Folders with definitions that Luna brings, one folder each. */
  readonly shippedFolders?: readonly string[];
  /** `.luna/external_services.json`. */
  readonly registryFile: string;
  /** `.luna/external_service_routes.json`. */
  readonly routesFile: string;
  /** Where each service has its log. */
  readonly logFolder: string;
  readonly env: EnvFile;
  /** Variables for all commands, for example where a container engine listens. */
  readonly environment?: Readonly<Record<string, string>>;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  /** How often health is asked for. Default 30 seconds. */
  readonly healthIntervalMs?: number;
  readonly restartPolicy?: RestartPolicy;
  /** Unpacks uploaded archives. Left out: only single definitions can be uploaded. */
  readonly unpack?: Unpack;
  readonly onEvent?: (event: ServiceEvent) => void;
  readonly onError: (message: string) => void;
}

export type ServiceEvent =
  | { readonly type: 'external-services.changed'; readonly name: string }
  | { readonly type: 'external-service.output'; readonly name: string; readonly line: string };

/** What the configuration asks for. */
export interface WantedService {
  /** Whether Luna keeps it running. */
  readonly enabled: boolean;
  /** Settings without secrets; those that are not named stay. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
}

const defaultHealthIntervalMs = 30_000;

/** The infrastructure that a home has beside Luna: definitions, installs, what runs of them, and where it is seen. */
export class ExternalServices {
  readonly #options: ExternalServicesOptions;
  readonly #folders: DefinitionFolders;
  readonly #registry: ServiceRegistry;
  readonly #services = new Map<string, ManagedService>();
  readonly #routeListeners = new Set<(routes: readonly ServiceRoute[]) => void>();
  #wanted: Readonly<Record<string, WantedService>> = {};
  #routes: readonly ServiceRoute[] = [];
  #writingRoutes: Promise<void> = Promise.resolve();
  #isStarted = false;

  /** Reads what is known of services. Nothing runs before {@link start}. */
  static async open(options: ExternalServicesOptions): Promise<ExternalServices> {
    return new ExternalServices(options, await ServiceRegistry.open(options.registryFile, options.onError));
  }

  private constructor(options: ExternalServicesOptions, registry: ServiceRegistry) {
    this.#options = options;
    this.#registry = registry;
    this.#folders = new DefinitionFolders(options.folder, options.shippedFolders ?? []);
  }

  /** Ends what an earlier Luna has left, and starts what is enabled in the background. */
  async start(wanted: Readonly<Record<string, WantedService>>): Promise<void> {
    this.#wanted = wanted;
    for (const name of this.#registry.names()) {
      try {
        const { definition } = await this.#readInstalled(name);
        this.#services.set(name, this.#make(definition, await readValues(this.#folders.folderOf(name))));
      } catch (thrown) {
        await this.#tellBroken(name, thrown);
      }
    }
    await Promise.all([...this.#services.values()].map((one) => one.resume(this.#isEnabled(one.book.name))));
    this.#isStarted = true;
    await this.#changed();
  }

  /** Takes over what the configuration asks for; only what differs from before is done. */
  apply(wanted: Readonly<Record<string, WantedService>>): void {
    const before = this.#wanted;
    this.#wanted = wanted;
    if (!this.#isStarted) return;
    for (const [name, service] of this.#services) {
      const [was, is] = [own(before, name), own(wanted, name)];
      // One that was just installed is not in the configuration yet.
      if (!was && !is) continue;
      const enabled = is?.enabled ?? false;
      if (service.isInstalled && is?.config !== undefined) void this.#applyConfig(service, is.config);
      if (was?.enabled === enabled) continue;
      if (enabled) service.startInBackground();
      else service.stopInBackground();
      this.#emit({ type: 'external-services.changed', name });
    }
  }

  /** Definitions that can be installed, with those that cannot be read. */
  async available(): Promise<AvailableExternalServiceView[]> {
    return Promise.all(
      (await this.#folders.list()).map(async ({ name, folder, shipped }) => {
        const installed = this.#services.get(name)?.isInstalled ?? false;
        const common = { name, installed, shipped: this.#services.get(name)?.record.shipped ?? shipped };
        try {
          const definition = await readDefinition(folder, name);
          const { description, category, version } = definition;
          return { ...common, title: titleOf(definition), description, category, version };
        } catch (thrown) {
          return { ...common, title: name, description: '', category: 'other', version: '', error: messageOf(thrown) };
        }
      }),
    );
  }

  /** Services that are installed, or whose install is under way or failed. */
  installed(): Promise<ExternalServiceView[]> {
    return Promise.all([...this.#services.values()].map((service) => this.#viewOf(service)));
  }

  /** A service, installed or not, with its form and its commands. Throws `invalid_input`, `not_found`, `config_invalid`. */
  async get(name: string): Promise<ExternalServiceDetailView> {
    const service = await this.#serviceOf(name);
    return { ...(await this.#viewOf(service)), ...describeDefinition(service.definition) };
  }

  /**
   * Begins to install a service. What it prints comes as events and into its log; `done` settles when it runs, and
   * rejects when the install failed, which has been undone then. Throws `invalid_input` for settings that do not fit,
   * `not_found`, `config_invalid`, and `conflict` for one that is being installed, or whose keys of `.env` are taken.
   */
  async install(
    name: string,
    { config = {}, overwriteEnv = false }: { config?: unknown; overwriteEnv?: boolean } = {},
  ): Promise<{ readonly done: Promise<void> }> {
    const present = this.#services.get(assertLegal(this.#folders, name));
    // One that Luna brings is taken anew, with what an update of Luna has changed of it.
    const found = await this.#folders.find(name);
    const shipped = present?.record.shipped === true ? await this.#shippedOf(name) : found;
    const definition = shipped === found ? found.definition : await readDefinition(shipped.folder, name);
    const values = fillForm(
      definition.config_form.fields,
      config,
      await valuesThatFit(this.#folders.folderOf(name), definition),
    );
    const service = present ?? this.#make(definition, values);
    this.#services.set(name, service);
    const begun = Promise.withResolvers<void>();
    const done = service.install(definition, values, {
      onBegun: begun.resolve,
      overwriteEnv,
      shipped: shipped.shipped,
      prepare: () => this.#folders.bring(shipped),
      undo: async () => {
        if (shipped.shipped) await this.#folders.takeBack(name);
      },
    });
    done.catch(begun.reject).finally(() => this.#afterWork(name));
    await begun.promise;
    return { done };
  }

  /** Takes a service off the machine. Its data stay, unless `deleteData`. Throws `not_found`, `process_failed`. */
  async uninstall(name: string, { deleteData = false, force = false } = {}): Promise<void> {
    const service = this.#known(name);
    const { shipped } = service.record;
    await service.uninstall({ deleteData, force });
    if (shipped) await this.#folders.takeBack(name);
    await this.#afterWork(name);
  }

  /** Starts a service and waits until it is well. Throws why it is not. */
  async startService(name: string): Promise<ExternalServiceView> {
    const service = await this.#refreshed(name);
    await service.start();
    return this.#viewOf(service);
  }

  /** Stops a service until it is started again, or Luna is and it is enabled. */
  async stopService(name: string): Promise<ExternalServiceView> {
    const service = this.#known(name);
    await service.stop();
    return this.#viewOf(service);
  }

  async restartService(name: string): Promise<ExternalServiceView> {
    const service = await this.#refreshed(name);
    await service.restart();
    return this.#viewOf(service);
  }

  /** Tells the service itself to start with the machine, or not to, where its definition has a command for that. */
  async tellStartup(name: string, enabled: boolean): Promise<void> {
    await this.#known(name).tellStartup(enabled);
  }

  /** Adds a definition. Throws `config_invalid` with line and column, `too_large`, and `conflict` for one in use. */
  async upload(text: string): Promise<ExternalServiceDetailView> {
    const { name } = await this.#folders.add(text, (name) => this.#assertReplaceable(name));
    return this.get(name);
  }

  /** Adds the definition in an archive, with the files beside it. */
  async uploadArchive(archive: Readable): Promise<ExternalServiceDetailView> {
    const { unpack } = this.#options;
    if (!unpack)
      throw new LunaError('invalid_input', 'This Luna does not take archives. Upload the service.json by itself.');
    const { name } = await this.#folders.addArchive(archive, unpack, (name) => this.#assertReplaceable(name));
    return this.get(name);
  }

  /** The log of a service: its last lines, and those to come. Throws `not_found`. */
  log(name: string): Pick<CoveredLog, 'tail' | 'follow'> {
    return this.#known(name).book.log;
  }

  /** Settings of a service without its secrets; undefined when it is not installed. */
  openConfig(name: string): Record<string, string | number | boolean> | undefined {
    const service = this.#services.get(name);
    if (!service?.isInstalled) return undefined;
    return openValues(service.definition.config_form.fields, service.values);
  }

  /** Names of those that are installed. */
  installedNames(): string[] {
    return this.#registry.names().filter((name) => {
      const record = this.#registry.get(name);
      return record?.installed && record.under_way === undefined;
    });
  }

  /** Where web interfaces of installed services are. */
  routes(): readonly ServiceRoute[] {
    return this.#routes;
  }

  /** Calls the listener when {@link routes} became others; returns how to stop. */
  onRoutesChange(listener: (routes: readonly ServiceRoute[]) => void): () => void {
    this.#routeListeners.add(listener);
    return () => this.#routeListeners.delete(listener);
  }

  /** Ends what Luna keeps running. Services with commands of their own go on. */
  async close(): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.close()));
    await this.#registry.flushed();
    await this.#writingRoutes;
  }

  async #applyConfig(service: ManagedService, config: Readonly<Record<string, unknown>>): Promise<void> {
    const { definition, values, book } = service;
    try {
      const next = fillForm(definition.config_form.fields, config, values);
      if (JSON.stringify(next) === JSON.stringify(fillForm(definition.config_form.fields, {}, values))) return;
      if (definition.commands.run) await service.reconfigure(next);
      else {
        const reason = 'Its settings in master_config.json were changed. Install it again to take them over.';
        await book.save({ reason });
      }
    } catch (thrown) {
      await book.save({ reason: `Its settings in master_config.json are not in force: ${messageOf(thrown)}` });
    }
    await this.#changed();
  }

  async #afterWork(name: string): Promise<void> {
    // An install that was refused before it began has left nothing, nor has an uninstall.
    const service = this.#services.get(name);
    if (service && this.#registry.get(name) === undefined) {
      this.#services.delete(name);
      await service.close();
    }
    this.#emit({ type: 'external-services.changed', name });
    await this.#changed();
  }

  /** Routes follow whatever changed. */
  async #changed(): Promise<void> {
    const services = [...this.#services.values()].filter((service) => service.isInstalled);
    const routes = withoutTwins(services.flatMap((service) => routeOf(service.definition, service.values) ?? []));
    if (JSON.stringify(routes) === JSON.stringify(this.#routes) && this.#isWritten) return;
    this.#isWritten = true;
    this.#routes = routes;
    this.#writingRoutes = this.#writingRoutes.then(async () => {
      const text = `${JSON.stringify({ routes }, null, 2)}\n`;
      await writeFileDurably(this.#options.routesFile, text).catch((thrown) =>
        this.#options.onError(messageOf(thrown)),
      );
    });
    for (const listener of this.#routeListeners) listener(routes);
    await this.#writingRoutes;
  }

  #isWritten = false;

  async #readInstalled(name: string): Promise<{ definition: ServiceDefinition }> {
    const folder = this.#folders.folderOf(name);
    try {
      return { definition: await readDefinition(folder, name) };
    } catch (thrown) {
      // The install broke off before its definition had been copied.
      if (!(thrown instanceof LunaError && thrown.code === 'not_found')) throw thrown;
      return this.#folders.find(name);
    }
  }

  async #tellBroken(name: string, thrown: unknown): Promise<void> {
    const record = this.#registry.get(name);
    this.#options.onError(`The service "${name}": ${messageOf(thrown)}`);
    if (!record) return;
    const broken: ServiceRecord = { ...record, status: 'failed', reason: messageOf(thrown) };
    await this.#registry.set(name, broken).catch((error) => this.#options.onError(messageOf(error)));
  }

  async #shippedOf(name: string) {
    const folders = new DefinitionFolders(join(this.#options.folder, '.none'), this.#options.shippedFolders ?? []);
    return folders.find(name).catch(() => this.#folders.find(name));
  }

  #make(definition: ServiceDefinition, values: FormValues): ManagedService {
    const { home, logFolder, env, environment = {}, owner, onError } = this.#options;
    const { name } = definition;
    const folder = this.#folders.folderOf(name);
    const log = new CoveredLog(join(logFolder, `external_service_${name}.log`));
    log.follow((line) => {
      // What it prints from day to day is for those who follow its log.
      if (this.#registry.get(name)?.under_way !== undefined)
        this.#emit({ type: 'external-service.output', name, line });
    });
    const book = new ServiceBook({
      name,
      folder,
      log,
      registry: this.#registry,
      onChange: () => {
        this.#emit({ type: 'external-services.changed', name });
        void this.#changed();
      },
      onError,
    });
    const { healthIntervalMs = defaultHealthIntervalMs, restartPolicy = processRestartPolicy } = this.#options;
    const timing = { healthIntervalMs, restartPolicy };
    return new ManagedService({ book, home, folder, definition, values, env, environment, owner, timing });
  }

  /** With its definition as it is on the disk now. */
  async #refreshed(name: string): Promise<ManagedService> {
    const service = this.#known(name);
    service.redefine((await this.#readInstalled(name)).definition);
    return service;
  }

  #known(name: string): ManagedService {
    const service = this.#services.get(assertLegal(this.#folders, name));
    if (service) return service;
    throw new LunaError('not_found', `There is no installed service "${name}". "luna service list" lists them.`);
  }

  /** One that is not installed is looked at through a service that nothing is done with. */
  async #serviceOf(name: string): Promise<ManagedService> {
    const service = this.#services.get(assertLegal(this.#folders, name));
    if (service) return service;
    const { definition } = await this.#folders.find(name);
    return this.#make(definition, {});
  }

  #assertReplaceable(name: string): void {
    if (!this.#services.has(name)) return;
    throw new LunaError('conflict', `"${name}" is installed. Uninstall it before you replace its definition.`);
  }

  #isEnabled(name: string): boolean {
    return own(this.#wanted, name)?.enabled ?? false;
  }

  async #viewOf(service: ManagedService): Promise<ExternalServiceView> {
    const { name } = service.book;
    return describeService(service, {
      enabled: this.#isEnabled(name),
      shipped: service.record.shipped || (!service.isInstalled && (await this.#isShipped(name))),
      route: this.#routes.find((one) => one.service === name),
    });
  }

  async #isShipped(name: string): Promise<boolean> {
    return (await this.#folders.list()).some((one) => one.name === name && one.shipped);
  }

  #emit(event: ServiceEvent): void {
    this.#options.onEvent?.(event);
  }
}

function assertLegal(folders: DefinitionFolders, name: string): string {
  folders.folderOf(name);
  return name;
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
