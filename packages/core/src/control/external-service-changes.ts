import { z } from 'zod';
import type { ConfigStore, MasterConfig } from '../config/index.ts';
import { messageOf } from '../errors/index.ts';
import type { ExternalServiceDetailView, ExternalServices, WantedService } from '../services/index.ts';
import type { InstallExternalService, JudgeExternalService } from '../updates/index.ts';

const queuedInstall = z.looseObject({
  config: z.record(z.string(), z.unknown()).default({}),
  overwrite_env: z.boolean().default(false),
  enabled: z.boolean().optional(),
});

export interface ExternalServiceChangesOptions {
  readonly services: ExternalServices;
  readonly config: ConfigStore;
  /** Waits until all changes so far are in force. */
  readonly settled: () => Promise<void>;
  readonly onError: (message: string) => void;
}

/** What people may do with external services where the configuration has a part in it. */
export class ExternalServiceChanges {
  readonly #options: ExternalServiceChangesOptions;

  constructor(options: ExternalServiceChangesOptions) {
    this.#options = options;
  }

  /**
   * Begins to install a service; `done` settles when it runs and the configuration has it. Throws as
   * `ExternalServices.install` does.
   */
  async install(
    name: string,
    options: { config?: unknown; overwriteEnv?: boolean; enabled?: boolean },
  ): Promise<{ readonly view: ExternalServiceDetailView; readonly done: Promise<void> }> {
    const { services, onError } = this.#options;
    const { done } = await services.install(name, options);
    const inForce = done.then(() => this.#write(name, options.enabled));
    inForce.catch((thrown) => onError(messageOf(thrown)));
    return { view: await services.get(name), done: inForce };
  }

  /**
   * Installs a service as the update queue asks for it, and waits until it runs. What it prints goes to `onLine`. Throws
   * why it could not be installed, and `cancelled` when it is broken off.
   */
  readonly installQueued: InstallExternalService = async (operation, { onLine, signal }) => {
    const { services } = this.#options;
    const { config, overwrite_env, enabled } = queuedInstall.parse(operation);
    signal.throwIfAborted();
    const { done } = await services.install(operation.name, { config, overwriteEnv: overwrite_env });
    const unfollow = (await services.log(operation.name)).follow((line) => onLine(line));
    // It is ended with what it has begun; the install is undone then.
    const end = () => void services.uninstall(operation.name).catch(() => undefined);
    signal.addEventListener('abort', end, { once: true });
    try {
      await done;
      // The queue may be what others wait for: that this is in force is not waited for.
      await this.#put(operation.name, enabled);
    } finally {
      signal.removeEventListener('abort', end);
      unfollow();
    }
  };

  /** Throws what {@link installQueued} would refuse at once; returns which of the settings are secret. */
  readonly judgeQueued: JudgeExternalService = (operation) => {
    const { config } = queuedInstall.parse(operation);
    return this.#options.services.judge(operation.name, config);
  };

  async uninstall(name: string, options: { deleteData?: boolean; force?: boolean }): Promise<void> {
    const { services, config } = this.#options;
    await services.uninstall(name, options);
    await config.update((draft) => {
      delete draft.external_services[name];
    });
    await this.#options.settled();
  }

  /** Whether Luna keeps it running: from now on, and whenever Luna starts. */
  async setEnabled(name: string, enabled: boolean): Promise<ExternalServiceDetailView> {
    const { services } = this.#options;
    await services.tellStartup(name, enabled);
    await this.#write(name, enabled);
    return services.get(name);
  }

  async #write(name: string, enabled: boolean | undefined): Promise<void> {
    await this.#put(name, enabled);
    await this.#options.settled();
  }

  async #put(name: string, enabled: boolean | undefined): Promise<void> {
    const { services, config } = this.#options;
    const values = services.openConfig(name);
    await config.update((draft) => {
      const former = Object.hasOwn(draft.external_services, name) ? draft.external_services[name] : undefined;
      draft.external_services[name] = {
        ...former,
        enabled: enabled ?? former?.enabled ?? true,
        ...(values && { config: values }),
      };
    });
  }
}

/** What the configuration asks for. */
export function wantedServices(config: MasterConfig): Record<string, WantedService> {
  return config.external_services;
}

/** Services that are installed and not in the configuration yet get an entry. */
export async function syncExternalServices(config: ConfigStore, services: ExternalServices): Promise<void> {
  const missing = services.installedNames().filter((name) => !Object.hasOwn(config.config.external_services, name));
  if (missing.length === 0) return;
  await config.update((draft) => {
    for (const name of missing) {
      const values = services.openConfig(name);
      draft.external_services[name] ??= { enabled: true, ...(values && { config: values }) };
    }
  });
}
