import type { EnvFile } from '../config/index.ts';
import { LunaError, messageOf } from '../errors/index.ts';
import type { ServiceDefinition } from './definition-shape.ts';
import { type FormValues, fillForm } from './form.ts';
import { whatIsWrong } from './health.ts';
import { endLeftover } from './kept-program.ts';
import { providedVariables, writeVariables } from './provided-variables.ts';
import type { ServiceRecord } from './registry.ts';
import { now, type ServiceBook } from './service-book.ts';
import { ServiceContext } from './service-context.ts';
import { type InstallOptions, ServiceInstall } from './service-install.ts';
import { ServiceRun, type ServiceState, type ServiceTiming } from './service-run.ts';
import { Turns } from './turns.ts';
import { writeValues } from './values-file.ts';

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

/** One service on its way: installed, started, stopped, uninstalled. One thing at a time. */
export class ManagedService {
  readonly book: ServiceBook;
  readonly #options: ServiceOptions;
  readonly #turns: Turns;
  readonly #run: ServiceRun;
  readonly #install: ServiceInstall;
  #context: ServiceContext;

  constructor(options: ServiceOptions) {
    const { book, timing } = options;
    this.book = book;
    this.#options = options;
    this.#turns = new Turns(book.name);
    this.#context = this.#contextOf(options.definition, options.values);
    this.#run = new ServiceRun({ context: () => this.#context, book, turns: this.#turns, timing });
    this.#install = new ServiceInstall({
      book,
      env: options.env,
      run: this.#run,
      context: () => this.#context,
      take: (context) => {
        this.#context = context;
      },
      isClosed: () => this.#turns.isClosed,
    });
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
    await this.#turns.take('installed', (signal) =>
      this.#install.install(this.#contextOf(definition, values), options, signal),
    );
  }

  /**
   * Ends it and takes it off the machine. Its data stay, unless `deleteData`. Can be repeated. `force`: goes on where
   * its own command fails.
   */
  async uninstall({ deleteData, force }: { deleteData: boolean; force: boolean }): Promise<void> {
    const work = (signal: AbortSignal) => this.#install.uninstall({ deleteData, force }, signal);
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

  /** Takes over the settings of the configuration where they differ, or writes down why they are not in force. */
  async takeSettings(config: Readonly<Record<string, unknown>>): Promise<void> {
    const { definition, values, book } = this;
    try {
      const next = fillForm(definition.config_form.fields, config, values);
      if (JSON.stringify(next) === JSON.stringify(fillForm(definition.config_form.fields, {}, values))) return;
      if (definition.commands.run) await this.#reconfigure(next);
      else {
        const reason = 'Its settings in master_config.json were changed. Install it again to take them over.';
        await book.save({ reason });
      }
    } catch (thrown) {
      await book.save({ reason: `Its settings in master_config.json are not in force: ${messageOf(thrown)}` });
    }
  }

  /** Takes over other values. Only for a service whose program Luna keeps running; it is started again. */
  async #reconfigure(values: FormValues): Promise<void> {
    await this.#turns.idle();
    this.#assertInstalled();
    await this.#turns.take('changed', async (signal) => {
      const wasWanted = this.#run.isWanted;
      await this.book.save({ status: 'stopping', reason: undefined });
      await this.#run.down(signal);
      this.#context = this.#contextOf(this.definition, values);
      await writeValues(this.book.configFile, values);
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

  #assertInstalled(): void {
    if (this.isInstalled) return;
    throw new LunaError('conflict', `"${this.book.name}" is not installed. Install it first.`);
  }

  #contextOf(definition: ServiceDefinition, values: FormValues): ServiceContext {
    const { home, folder, book, environment, owner } = this.#options;
    return new ServiceContext({ definition, values, places: { home, folder }, log: book.log, environment, owner });
  }
}
