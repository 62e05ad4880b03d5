import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LunaError, messageOf } from '../errors/index.ts';
import type { CoveredLog } from './covered-log.ts';
import { readDefinition } from './definition.ts';
import { assertName, DefinitionFolders } from './definition-folders.ts';
import { titleOf } from './definition-shape.ts';
import { describeBroken, describeDefinition, describeService } from './describe-service.ts';
import type { ExternalServicesOptions, ServiceEvent, WantedService } from './external-services-options.ts';
import { fillForm, isSecret, openValues } from './form.ts';
import { ManagedServices } from './managed-services.ts';
import { ServiceRegistry } from './registry.ts';
import type { ManagedService } from './service.ts';
import { routeOf, type ServiceRoute, ServiceRoutes } from './service-routes.ts';
import { valuesThatFit } from './values-file.ts';
import type { AvailableExternalServiceView, ExternalServiceDetailView, ExternalServiceView } from './views.ts';

/** The infrastructure that a home has beside Luna: definitions, installs, what runs of them, and where it is seen. */
export class ExternalServices {
  readonly #options: ExternalServicesOptions;
  readonly #folders: DefinitionFolders;
  readonly #registry: ServiceRegistry;
  readonly #services: ManagedServices;
  readonly #routes: ServiceRoutes;
  #wanted: Readonly<Record<string, WantedService>> = {};
  #isStarted = false;

  /** Reads what is known of services. Nothing runs before {@link start}. */
  static async open(options: ExternalServicesOptions): Promise<ExternalServices> {
    return new ExternalServices(options, await ServiceRegistry.open(options.registryFile, options.onError));
  }

  private constructor(options: ExternalServicesOptions, registry: ServiceRegistry) {
    this.#options = options;
    this.#registry = registry;
    this.#folders = new DefinitionFolders(options.folder, options.shippedFolders ?? []);
    this.#services = new ManagedServices(options, {
      folders: this.#folders,
      registry,
      onChange: () => void this.#changed(),
    });
    this.#routes = new ServiceRoutes(options.routesFile, options.onError);
  }

  /** Ends what an earlier Luna has left, and starts what is enabled in the background. */
  async start(wanted: Readonly<Record<string, WantedService>>): Promise<void> {
    this.#wanted = wanted;
    for (const name of this.#registry.names()) {
      await this.#services.load(name).catch((thrown) => this.#services.tellBroken(name, thrown));
    }
    await Promise.all(this.#services.all().map((one) => one.resume(this.#isEnabled(one.book.name))));
    this.#isStarted = true;
    await this.#changed();
  }

  /** Takes over what the configuration asks for; only what differs from before is done. */
  apply(wanted: Readonly<Record<string, WantedService>>): void {
    const before = this.#wanted;
    this.#wanted = wanted;
    if (!this.#isStarted) return;
    for (const service of this.#services.all()) {
      const { name } = service.book;
      const [was, is] = [own(before, name), own(wanted, name)];
      // One that was just installed is not in the configuration yet.
      if (!was && !is) continue;
      const enabled = is?.enabled ?? false;
      if (service.isInstalled && is?.config !== undefined)
        void service.takeSettings(is.config).then(() => this.#changed());
      if (was?.enabled === enabled) continue;
      service.followInBackground(() => this.#isEnabled(name));
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
  async installed(): Promise<ExternalServiceView[]> {
    const broken = this.#registry.names().filter((name) => !this.#services.get(name));
    return [
      ...(await Promise.all(this.#services.all().map((service) => this.#viewOf(service)))),
      ...broken.flatMap((name) => describeBroken(name, this.#registry.get(name))),
    ];
  }

  /** A service, installed or not, with its form and its commands. Throws `invalid_input`, `not_found`, `config_invalid`. */
  async get(name: string): Promise<ExternalServiceDetailView> {
    const service = await this.#services.installedOrNot(name);
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
    const { present, shipped, definition, values } = await this.#asked(name, config);
    const service = present ?? this.#services.make(definition, values);
    this.#services.keep(service);
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

  /** Throws what {@link install} would refuse at once; returns the names of the settings that are secret and given. */
  async judge(name: string, config: unknown): Promise<string[]> {
    const { definition } = await this.#asked(name, config);
    const given = Object.keys(Object(config));
    return definition.config_form.fields
      .filter((field) => isSecret(field) && given.includes(field.name))
      .map((field) => field.name);
  }

  /** Takes a service off the machine. Its data stay, unless `deleteData`. Throws `not_found`, `process_failed`. */
  async uninstall(name: string, { deleteData = false, force = false } = {}): Promise<void> {
    const service = await this.#services.known(name);
    const { shipped } = service.record;
    await service.uninstall({ deleteData, force });
    if (shipped) await this.#folders.takeBack(name);
    await this.#afterWork(name);
  }

  /** Starts a service and waits until it is well. Throws why it is not. */
  async startService(name: string): Promise<ExternalServiceView> {
    const service = await this.#services.refreshed(name);
    await service.start();
    return this.#viewOf(service);
  }

  /** Stops a service until it is started again, or Luna is and it is enabled. */
  async stopService(name: string): Promise<ExternalServiceView> {
    const service = await this.#services.known(name);
    await service.stop();
    return this.#viewOf(service);
  }

  async restartService(name: string): Promise<ExternalServiceView> {
    const service = await this.#services.refreshed(name);
    await service.restart();
    return this.#viewOf(service);
  }

  /** Tells the service itself to start with the machine, or not to, where its definition has a command for that. */
  async tellStartup(name: string, enabled: boolean): Promise<void> {
    await (await this.#services.known(name)).tellStartup(enabled);
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
  async log(name: string): Promise<Pick<CoveredLog, 'tail' | 'follow'>> {
    return (await this.#services.known(name)).book.log;
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
    return this.#routes.all;
  }

  /** Calls the listener when {@link routes} became others; returns how to stop. */
  onRoutesChange(listener: (routes: readonly ServiceRoute[]) => void): () => void {
    return this.#routes.onChange(listener);
  }

  /** Ends what Luna keeps running. Services with commands of their own go on. */
  async close(): Promise<void> {
    await Promise.all(this.#services.all().map((service) => service.close()));
    await this.#registry.flushed();
    await this.#routes.flushed();
  }

  async #afterWork(name: string): Promise<void> {
    // An install that was refused before it began has left nothing, nor has an uninstall.
    const service = this.#services.get(name);
    if (service && this.#registry.get(name) === undefined) {
      this.#services.drop(name);
      await service.close();
    }
    this.#emit({ type: 'external-services.changed', name });
    await this.#changed();
  }

  /** Routes follow whatever changed. */
  async #changed(): Promise<void> {
    const services = this.#services.all().filter((service) => service.isInstalled);
    await this.#routes.set(services.flatMap((service) => routeOf(service.definition, service.values) ?? []));
  }

  /** What an install would be made of. */
  async #asked(name: string, config: unknown) {
    const present = this.#services.get(assertName(name));
    // One that Luna brings is taken anew, with what an update of Luna has changed of it.
    const found = await this.#folders.find(name);
    const shipped = present?.record.shipped === true ? await this.#shippedOf(name) : found;
    const definition = shipped === found ? found.definition : await readDefinition(shipped.folder, name);
    const former = await valuesThatFit(this.#folders.folderOf(name), definition);
    return { present, shipped, definition, values: fillForm(definition.config_form.fields, config, former) };
  }

  async #shippedOf(name: string) {
    const folders = new DefinitionFolders(join(this.#options.folder, '.none'), this.#options.shippedFolders ?? []);
    return folders.find(name).catch(() => this.#folders.find(name));
  }

  #assertReplaceable(name: string): void {
    if (!this.#services.get(name)) return;
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
      route: this.#routes.all.find((one) => one.service === name),
    });
  }

  async #isShipped(name: string): Promise<boolean> {
    return (await this.#folders.list()).some((one) => one.name === name && one.shipped);
  }

  #emit(event: ServiceEvent): void {
    this.#options.onEvent?.(event);
  }
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
