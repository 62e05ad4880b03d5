import { mkdir, readdir, rm } from 'node:fs/promises';
import { type EnvFile, writeFileDurably } from '../config/index.ts';
import { LunaError, messageOf } from '../errors/index.ts';
import type { ServiceDefinition } from './definition-shape.ts';
import type { FormValues } from './form.ts';
import { whatIsWrong } from './health.ts';
import { endLeftover } from './kept-program.ts';
import { assertNotTaken, providedVariables, writeVariables } from './provided-variables.ts';
import type { ServiceRecord } from './registry.ts';
import { now, type ServiceBook } from './service-book.ts';
import { ServiceContext } from './service-context.ts';
import { ServiceRun, type ServiceState, type ServiceTiming } from './service-run.ts';
import { Turns } from './turns.ts';

export interface ServiceOptions {
  readonly book: ServiceBook;
  readonly home: string;
  /** `external_services/<name>` of the home. */
  readonly folder: string;
  readonly definition: ServiceDefinition;
  readonly values: FormValues;
  readonly env: EnvFile;
  /** Variables for all commands. */
  readonly environment: Readonly<Record<string, string>>;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  readonly timing: ServiceTiming;
}

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

/** One service on its way: installed, started, stopped, uninstalled. One thing at a time. */
export class ManagedService {
  readonly book: ServiceBook;
  readonly #options: ServiceOptions;
  readonly #turns: Turns;
  readonly #run: ServiceRun;
  #context: ServiceContext;

  constructor(options: ServiceOptions) {
    const { book, timing } = options;
    this.book = book;
    this.#options = options;
    this.#turns = new Turns(book.name);
    this.#context = this.#contextOf(options.definition, options.values);
    this.#run = new ServiceRun({ context: () => this.#context, book, turns: this.#turns, timing });
  }

  get definition(): ServiceDefinition {
    return this.#context.definition;
  }

  get values(): FormValues {
    return this.#context.values;
  }

  get record(): ServiceRecord {
    return this.book.record;
  }

  get state(): ServiceState {
    return this.#run.state;
  }

  get dataFolder(): string {
    return this.#context.dataFolder;
  }

  get isInstalled(): boolean {
    return this.record.installed && this.record.under_way === undefined;
  }

  /** Takes over a definition that was changed. What runs goes on as it was started. */
  redefine(definition: ServiceDefinition): void {
    this.#context = this.#contextOf(definition, this.values);
  }

  /**
   * Installs it with these values, starts it and waits until it is well. What an earlier install has left is taken away
   * first. When it fails, so is what it has done, and the reason is kept.
   */
  async install(definition: ServiceDefinition, values: FormValues, options: InstallOptions): Promise<void> {
    await this.#turns.take('installed', async (signal) => {
      const before = this.record;
      const context = this.#contextOf(definition, values);
      const variables = providedVariables(definition, context.texts);
      if (!options.overwriteEnv) await assertNotTaken(this.#options.env, variables, before.provided);
      const hadData = before.data_is_new !== true && (await hasEntries(context.dataFolder));
      const isRepeated = before.installed || before.status !== 'not_installed';
      await this.book.save({
        ...begun('install'),
        status: 'installing',
        shipped: options.shipped,
        data_is_new: !hadData,
      });
      options.onBegun();
      try {
        if (isRepeated) await this.#clear(signal);
        this.#context = context;
        await options.prepare();
        await this.#doInstall(signal);
        const provided = await writeVariables(this.#options.env, variables, before.provided);
        await this.book.save({ ...ended, installed: true, installed_at: now(), provided });
        await this.#run.watch();
      } catch (thrown) {
        // The next Luna tells that it broke off, and the person decides.
        if (!this.#turns.isClosed) await this.#undoInstall(thrown, before.installed, options.undo);
        throw thrown;
      }
    });
  }

  /**
   * Ends it and takes it off the machine. Its data stay, unless `deleteData`. Can be repeated. `force`: goes on where
   * its own command fails.
   */
  async uninstall({ deleteData, force }: { deleteData: boolean; force: boolean }): Promise<void> {
    const work = async (signal: AbortSignal) => {
      await this.book.save({ ...begun('uninstall'), status: 'uninstalling', reason: undefined });
      try {
        await this.#run.down(signal, { isPatient: true });
        await this.#context.run('uninstall', { signal }).catch((thrown) => {
          if (!force || signal.aborted) throw thrown;
          this.book.log.write(messageOf(thrown));
        });
        await writeVariables(this.#options.env, {}, this.record.provided);
        await rm(this.book.configFile, { force: true });
        if (deleteData) await rm(this.#context.dataFolder, { recursive: true, force: true });
        await this.book.forget();
      } catch (thrown) {
        await this.book.save({ status: 'failed', reason: `It could not be uninstalled: ${messageOf(thrown)}` });
        throw thrown;
      }
    };
    await this.#turns.take('uninstalled', work, { interrupts: true });
  }

  /** Starts it and waits until it is well. One that runs is left alone. */
  async start(): Promise<void> {
    this.#assertInstalled();
    await this.#turns.take('started', async (signal) => {
      if (this.#run.isWanted && this.record.status === 'running') return;
      await this.#upOrTell(signal);
    });
  }

  /** Ends it, until it is started or Luna starts anew. */
  async stop(): Promise<void> {
    this.#assertInstalled();
    const work = async (signal: AbortSignal) => {
      this.#assertInstalled();
      await this.book.save({ status: 'stopping', reason: undefined });
      try {
        await this.#run.down(signal);
        await this.book.save({ status: 'stopped', stopped_at: now() });
      } catch (thrown) {
        await this.book.save({ status: 'failed', reason: `It could not be stopped: ${messageOf(thrown)}` });
        throw thrown;
      }
    };
    await this.#turns.take('stopped', work, { interrupts: true });
  }

  async restart(): Promise<void> {
    this.#assertInstalled();
    await this.#turns.take('restarted', async (signal) => {
      const { commands } = this.definition;
      if (!commands.restart) await this.#run.down(signal, { isPatient: true, isWanted: true });
      await this.#upOrTell(signal, commands.restart !== undefined);
    });
  }

  /** Runs the command by which the service itself is told to start with the machine, or not to. */
  async tellStartup(enabled: boolean): Promise<void> {
    const command = enabled ? 'enable_startup' : 'disable_startup';
    if (!this.definition.commands[command]) return;
    await this.#turns.take('changed', (signal) => this.#context.run(command, { signal }));
  }

  /** Takes over other values. Only for a service whose program Luna keeps running; it is started again. */
  async reconfigure(values: FormValues): Promise<void> {
    await this.#turns.idle();
    this.#assertInstalled();
    await this.#turns.take('changed', async (signal) => {
      const wasWanted = this.#run.isWanted;
      await this.book.save({ status: 'stopping', reason: undefined });
      await this.#run.down(signal);
      this.#context = this.#contextOf(this.definition, values);
      await this.#writeConfig();
      const variables = providedVariables(this.definition, this.#context.texts);
      const provided = await writeVariables(this.#options.env, variables, this.record.provided);
      await this.book.save({ provided, status: 'stopped', reason: undefined });
      if (wasWanted) await this.#run.upOrRetry(signal);
    });
  }

  /**
   * Goes on where an earlier Luna stopped: ends what that has left, tells what broke off, and starts the service in the
   * background if it is enabled.
   */
  async resume(enabled: boolean): Promise<void> {
    const { process: left, under_way, installed } = this.record;
    if (left) {
      await endLeftover(left, this.definition.stop_signal);
      await this.book.save({ process: undefined });
    }
    if (under_way === 'install') {
      const reason = 'The install broke off: Luna ended in the middle of it. Install it again, or uninstall it.';
      await this.book.save({ status: 'install_failed', reason });
    } else if (under_way === 'uninstall') {
      const reason = 'The uninstall broke off: Luna ended in the middle of it. Uninstall it again.';
      await this.book.save({ status: 'failed', reason });
    } else if (installed) {
      await this.book.save({ status: 'stopped', reason: undefined });
      this.#inBackground('looked at', async (signal) => {
        const runs =
          !this.definition.commands.run && (await whatIsWrong(this.#context, signal).catch(messageOf)) === undefined;
        if (runs) await this.#run.watch();
        else if (enabled) await this.#run.upOrRetry(signal);
      });
    }
  }

  /**
   * Starts it or stops it, as is asked for once nothing else is under way with it. Failures are told by its status.
   */
  followInBackground(isEnabled: () => boolean): void {
    const follow = async () => {
      await this.#turns.idle();
      if (!this.isInstalled || isEnabled() === this.#run.isWanted) return;
      if (isEnabled()) this.#inBackground('started', (signal) => this.#run.upOrRetry(signal));
      else await this.stop();
    };
    follow().catch((thrown) => this.book.tellError(thrown));
  }

  /** Ends what Luna keeps running. */
  async close(): Promise<void> {
    await this.#turns.close();
    await this.#run.close();
    await this.book.log.close();
  }

  async #doInstall(signal: AbortSignal): Promise<void> {
    const { definition, dataFolder } = this.#context;
    await this.#context.assertRequirements();
    await this.#context.assertPortsFree();
    await this.#writeConfig();
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    const limitMs = definition.install_timeout * 1000;
    await this.#context.run('install', { signal, timeoutMs: limitMs });
    // An install that starts the service too is common, and starting it twice is not always allowed.
    const { run, install } = definition.commands;
    if (!run && install && (await whatIsWrong(this.#context, signal)) === undefined) return;
    await this.#run.up(signal, { limitMs });
  }

  async #undoInstall(thrown: unknown, wasInstalled: boolean, undo: () => Promise<void>): Promise<void> {
    const reason = this.book.log.redact(`The install failed: ${messageOf(thrown)}`);
    this.book.log.write(reason);
    await this.#clear(AbortSignal.timeout(60_000));
    if (!wasInstalled) {
      await writeVariables(this.#options.env, {}, this.record.provided).catch((error) => this.book.tellError(error));
      await rm(this.book.configFile, { force: true });
      await undo().catch((error) => this.book.tellError(error));
    }
    await this.book.save({ ...ended, installed: false, status: 'install_failed', reason });
  }

  /** Takes away what an install has made; that may be all, half of it, or nothing. */
  async #clear(signal: AbortSignal): Promise<void> {
    for (const work of [() => this.#run.down(signal), () => this.#context.run('uninstall', { signal })]) {
      // There may be nothing to stop, or to remove.
      await work().catch((thrown) => this.book.log.write(messageOf(thrown)));
    }
    if (this.record.data_is_new) await rm(this.#context.dataFolder, { recursive: true, force: true });
  }

  async #upOrTell(signal: AbortSignal, asRestart = false): Promise<void> {
    try {
      await this.#run.up(signal, { asRestart });
    } catch (thrown) {
      await this.book.save({ status: 'failed', reason: messageOf(thrown) });
      throw thrown;
    }
  }

  #inBackground(doing: string, work: (signal: AbortSignal) => Promise<void>): void {
    // A person who asks for something else goes before it.
    this.#turns.take(doing, work, { isAutomatic: true }).catch((thrown) => {
      if (!(thrown instanceof LunaError)) this.book.tellError(thrown);
    });
  }

  async #writeConfig(): Promise<void> {
    await writeFileDurably(this.book.configFile, `${JSON.stringify(this.values, null, 2)}\n`, 0o600);
  }

  #assertInstalled(): void {
    if (this.isInstalled) return;
    throw new LunaError('conflict', `"${this.book.name}" is not installed. Install it first.`);
  }

  #contextOf(definition: ServiceDefinition, values: FormValues): ServiceContext {
    const { home, folder, book, environment, owner } = this.#options;
    return new ServiceContext({ definition, values, places: { home, folder }, log: book.log, environment, owner });
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
