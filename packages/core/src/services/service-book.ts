import { join } from 'node:path';
import { messageOf } from '../errors/index.ts';
import type { CoveredLog } from './covered-log.ts';
import type { ServiceRecord, ServiceRegistry } from './registry.ts';

/** What is known of one service: its record in the registry, and its log. */
export class ServiceBook {
  readonly name: string;
  readonly log: CoveredLog;
  /** `config.json` of the service. */
  readonly configFile: string;
  readonly #registry: ServiceRegistry;
  readonly #onChange: () => void;
  readonly #onError: (message: string) => void;

  constructor(options: {
    readonly name: string;
    readonly folder: string;
    readonly log: CoveredLog;
    readonly registry: ServiceRegistry;
    readonly onChange: () => void;
    readonly onError: (message: string) => void;
  }) {
    this.name = options.name;
    this.log = options.log;
    this.configFile = join(options.folder, 'config.json');
    this.#registry = options.registry;
    this.#onChange = options.onChange;
    this.#onError = options.onError;
  }

  get record(): ServiceRecord {
    return (
      this.#registry.get(this.name) ?? {
        installed: false,
        shipped: false,
        status: 'not_installed',
        config_path: this.configFile,
        log_path: this.log.file,
        provided: {},
      }
    );
  }

  /** Changes the record; `undefined` takes a field away. Settles when it is on the disk, or that has failed. */
  async save(change: Partial<ServiceRecord>): Promise<void> {
    const before = this.record;
    const record: ServiceRecord = { ...before, ...change };
    if (record.reason !== undefined) record.reason = this.log.redact(record.reason);
    const written = this.#registry.set(this.name, record);
    if (shownOf(before) !== shownOf(record)) this.#onChange();
    await written.catch((thrown) => this.#onError(messageOf(thrown)));
  }

  /** The service is not known any more. */
  async forget(): Promise<void> {
    const written = this.#registry.set(this.name, undefined);
    this.#onChange();
    await written;
  }

  tellError(thrown: unknown): void {
    this.#onError(messageOf(thrown));
  }
}

/** That it was well once more is no news. */
function shownOf({ last_health_check: _check, last_healthy: _healthy, ...shown }: ServiceRecord): string {
  return JSON.stringify(shown);
}

export function now(): string {
  return new Date().toISOString();
}
