import { join } from 'node:path';
import { LunaError, messageOf } from '../errors/index.ts';
import { processRestartPolicy } from '../supervisor/index.ts';
import { CoveredLog } from './covered-log.ts';
import { readDefinition } from './definition.ts';
import { assertName, type DefinitionFolders } from './definition-folders.ts';
import type { ServiceDefinition } from './definition-shape.ts';
import type { ExternalServicesOptions, ServiceEvent } from './external-services-options.ts';
import type { FormValues } from './form.ts';
import type { ServiceRecord, ServiceRegistry } from './registry.ts';
import { ManagedService } from './service.ts';
import { ServiceBook } from './service-book.ts';
import { readValues } from './values-file.ts';

const defaultHealthIntervalMs = 30_000;

/** The services that Luna has to do with, each made of what is on the disk when it is asked for first. */
export class ManagedServices {
  readonly #options: ExternalServicesOptions;
  readonly #folders: DefinitionFolders;
  readonly #registry: ServiceRegistry;
  readonly #onChange: () => void;
  readonly #made = new Map<string, ManagedService>();

  /** `onChange`: after the record of one became another. */
  constructor(
    options: ExternalServicesOptions,
    parts: { readonly folders: DefinitionFolders; readonly registry: ServiceRegistry; readonly onChange: () => void },
  ) {
    this.#options = options;
    this.#folders = parts.folders;
    this.#registry = parts.registry;
    this.#onChange = parts.onChange;
  }

  /** Those that were made. */
  all(): ManagedService[] {
    return [...this.#made.values()];
  }

  get(name: string): ManagedService | undefined {
    return this.#made.get(name);
  }

  keep(service: ManagedService): void {
    this.#made.set(service.book.name, service);
  }

  drop(name: string): void {
    this.#made.delete(name);
  }

  /** An installed service; one whose definition could not be read when Luna started may have been repaired. */
  async load(name: string): Promise<ManagedService> {
    const present = this.#made.get(name);
    if (present) return present;
    const { definition } = await this.#readInstalled(name);
    const service = this.make(definition, await readValues(this.#folders.folderOf(name)));
    this.#made.set(name, service);
    return service;
  }

  /** With its definition as it is on the disk now. */
  async refreshed(name: string): Promise<ManagedService> {
    const service = await this.known(name);
    service.redefine((await this.#readInstalled(name)).definition);
    return service;
  }

  /** One that is installed, or whose install is under way or failed. Throws `invalid_input`, `not_found`. */
  async known(name: string): Promise<ManagedService> {
    if (this.#registry.get(assertName(name)) || this.#made.has(name)) return this.load(name);
    throw new LunaError('not_found', `There is no installed service "${name}". "luna service list" lists them.`);
  }

  /** One that is not installed is looked at through a service that nothing is done with. */
  async installedOrNot(name: string): Promise<ManagedService> {
    if (this.#registry.get(assertName(name)) || this.#made.has(name)) return this.load(name);
    const { definition } = await this.#folders.find(name);
    return this.make(definition, {});
  }

  /** Keeps why one could not be made. */
  async tellBroken(name: string, thrown: unknown): Promise<void> {
    const record = this.#registry.get(name);
    this.#options.onError(`The service "${name}": ${messageOf(thrown)}`);
    if (!record) return;
    const broken: ServiceRecord = { ...record, status: 'failed', reason: messageOf(thrown) };
    await this.#registry.set(name, broken).catch((error) => this.#options.onError(messageOf(error)));
  }

  /** One of this definition, with nothing done to it yet. */
  make(definition: ServiceDefinition, values: FormValues): ManagedService {
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
        this.#onChange();
      },
      onError,
    });
    const { healthIntervalMs = defaultHealthIntervalMs, restartPolicy = processRestartPolicy } = this.#options;
    const timing = { healthIntervalMs, restartPolicy };
    return new ManagedService({ book, home, folder, definition, values, env, environment, owner, timing });
  }

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

  #emit(event: ServiceEvent): void {
    this.#options.onEvent?.(event);
  }
}
