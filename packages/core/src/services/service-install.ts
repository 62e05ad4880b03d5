import { mkdir, readdir, rm } from 'node:fs/promises';
import type { EnvFile } from '../config/index.ts';
import { messageOf } from '../errors/index.ts';
import { whatIsWrong } from './health.ts';
import { assertNotTaken, providedVariables, writeVariables } from './provided-variables.ts';
import type { ServiceRecord } from './registry.ts';
import { now, type ServiceBook } from './service-book.ts';
import type { ServiceContext } from './service-context.ts';
import type { ServiceRun } from './service-run.ts';
import { writeValues } from './values-file.ts';

export interface InstallOptions {
  readonly overwriteEnv: boolean;
  /** Told when it is written down that an install has begun; nothing was refused then. */
  readonly onBegun: () => void;
  /** Whether the definition is one that Luna brings. */
  readonly shipped: boolean;
  /** Brings the files of the definition into the folder, once it is written down that an install has begun. */
  readonly prepare: () => Promise<void>;
  /** Takes them away again, where the service was not installed before. */
  readonly undo: () => Promise<void>;
}

/** A service coming to the machine and leaving it. What is under way is written down before it begins. */
export class ServiceInstall {
  readonly #book: ServiceBook;
  readonly #env: EnvFile;
  readonly #run: ServiceRun;
  readonly #context: () => ServiceContext;
  readonly #take: (context: ServiceContext) => void;
  readonly #isClosed: () => boolean;

  constructor(options: {
    readonly book: ServiceBook;
    readonly env: EnvFile;
    readonly run: ServiceRun;
    /** What is in force of the service. */
    readonly context: () => ServiceContext;
    /** Puts the context of an install in force. */
    readonly take: (context: ServiceContext) => void;
    /** Whether Luna ends. */
    readonly isClosed: () => boolean;
  }) {
    this.#book = options.book;
    this.#env = options.env;
    this.#run = options.run;
    this.#context = options.context;
    this.#take = options.take;
    this.#isClosed = options.isClosed;
  }

  /** See `ManagedService.install`, whose turn it is. */
  async install(context: ServiceContext, options: InstallOptions, signal: AbortSignal): Promise<void> {
    const before = this.#book.record;
    const variables = providedVariables(context.definition, context.texts);
    if (!options.overwriteEnv) await assertNotTaken(this.#env, variables, before.provided);
    const hadData = before.data_is_new !== true && (await hasEntries(context.dataFolder));
    const isRepeated = before.installed || before.status !== 'not_installed';
    await this.#book.save({
      ...begun('install'),
      status: 'installing',
      shipped: options.shipped,
      data_is_new: !hadData,
    });
    options.onBegun();
    try {
      if (isRepeated) await this.#clear(signal);
      this.#take(context);
      await options.prepare();
      await this.#doInstall(signal);
      const provided = await writeVariables(this.#env, variables, before.provided);
      await this.#book.save({ ...ended, installed: true, installed_at: now(), provided });
      await this.#run.watch();
    } catch (thrown) {
      // The next Luna tells that it broke off, and the person decides.
      if (!this.#isClosed()) await this.#undoInstall(thrown, before.installed, options.undo);
      throw thrown;
    }
  }

  /** See `ManagedService.uninstall`, whose turn it is. */
  async uninstall({ deleteData, force }: { deleteData: boolean; force: boolean }, signal: AbortSignal): Promise<void> {
    await this.#book.save({ ...begun('uninstall'), status: 'uninstalling', reason: undefined });
    try {
      await this.#run.down(signal, { isPatient: true });
      await this.#context()
        .run('uninstall', { signal })
        .catch((thrown) => {
          if (!force || signal.aborted) throw thrown;
          this.#book.log.write(messageOf(thrown));
        });
      await writeVariables(this.#env, {}, this.#book.record.provided);
      await rm(this.#book.configFile, { force: true });
      if (deleteData) await rm(this.#context().dataFolder, { recursive: true, force: true });
      await this.#book.forget();
    } catch (thrown) {
      await this.#book.save({ status: 'failed', reason: `It could not be uninstalled: ${messageOf(thrown)}` });
      throw thrown;
    }
  }

  async #doInstall(signal: AbortSignal): Promise<void> {
    const { definition, values, dataFolder } = this.#context();
    await this.#context().assertRequirements();
    await this.#context().assertPortsFree();
    await writeValues(this.#book.configFile, values);
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    const limitMs = definition.install_timeout * 1000;
    await this.#context().run('install', { signal, timeoutMs: limitMs });
    // An install that starts the service too is common, and starting it twice is not always allowed.
    const { run, install } = definition.commands;
    if (!run && install && (await whatIsWrong(this.#context(), signal)) === undefined) return;
    await this.#run.up(signal, { limitMs });
  }

  async #undoInstall(thrown: unknown, wasInstalled: boolean, undo: () => Promise<void>): Promise<void> {
    const reason = this.#book.log.redact(`The install failed: ${messageOf(thrown)}`);
    this.#book.log.write(reason);
    await this.#clear(AbortSignal.timeout(60_000));
    if (!wasInstalled) {
      await writeVariables(this.#env, {}, this.#book.record.provided).catch((error) => this.#book.tellError(error));
      await rm(this.#book.configFile, { force: true });
      await undo().catch((error) => this.#book.tellError(error));
    }
    await this.#book.save({ ...ended, installed: false, status: 'install_failed', reason });
  }

  /** Takes away what an install has made; that may be all, half of it, or nothing. */
  async #clear(signal: AbortSignal): Promise<void> {
    for (const work of [() => this.#run.down(signal), () => this.#context().run('uninstall', { signal })]) {
      // There may be nothing to stop, or to remove.
      await work().catch((thrown) => this.#book.log.write(messageOf(thrown)));
    }
    if (this.#book.record.data_is_new) await rm(this.#context().dataFolder, { recursive: true, force: true });
  }
}

/** Whether there is anything in a folder. */
export async function hasEntries(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).length > 0;
}

function begun(work: 'install' | 'uninstall'): Partial<ServiceRecord> {
  return { under_way: work, under_way_since: now(), reason: undefined };
}

const ended: Partial<ServiceRecord> = { under_way: undefined, under_way_since: undefined, data_is_new: undefined };
