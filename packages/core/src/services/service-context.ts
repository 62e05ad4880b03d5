import { createHash } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import { childEnvironment } from '../supervisor/index.ts';
import { assertSucceeded, type CommandOptions, type CommandOutcome, runCommand } from './command.ts';
import { withoutSecretArguments } from './container-secrets.ts';
import type { CoveredLog } from './covered-log.ts';
import type { CommandName, ServiceCommand, ServiceDefinition } from './definition-shape.ts';
import { type FormValues, isPort, isSecret, secretTexts, textsOf } from './form.ts';
import type { Values } from './placeholders.ts';

/** Where a service has its things. */
export interface ServicePlaces {
  readonly home: string;
  /** `external_services/<name>` of the home. */
  readonly folder: string;
}

/** What leads from a definition and the values of its form to a command that runs. */
export class ServiceContext {
  readonly definition: ServiceDefinition;
  readonly values: FormValues;
  readonly places: ServicePlaces;
  readonly log: CoveredLog;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #owner: string;

  constructor(options: {
    readonly definition: ServiceDefinition;
    readonly values: FormValues;
    readonly places: ServicePlaces;
    readonly log: CoveredLog;
    readonly environment: Readonly<Record<string, string>>;
    readonly owner: string;
  }) {
    this.definition = options.definition;
    this.values = options.values;
    this.places = options.places;
    this.log = options.log;
    this.#environment = options.environment;
    this.#owner = options.owner;
    this.log.cover(secretTexts(this.definition.config_form.fields, this.values));
  }

  get dataFolder(): string {
    return join(this.places.folder, 'data');
  }

  /** What placeholders stand for. */
  get texts(): Values {
    const { name, config_form } = this.definition;
    const { home, folder } = this.places;
    // Two homes on one machine must not have containers of one name.
    const suffix = createHash('sha256').update(home).digest('hex').slice(0, 8);
    const instance = `luna-${name.toLowerCase()}-${suffix}`;
    const own = { name, home, service_dir: folder, data_dir: this.dataFolder, instance };
    return { ...textsOf(config_form.fields, this.values), ...own };
  }

  /** How commands of the service are run. What is not `owned` outlives Luna, and is not ended after a crash of it. */
  commandOptions(owned: boolean): CommandOptions {
    return {
      values: this.texts,
      secrets: this.definition.config_form.fields.filter(isSecret).map(({ name }) => name),
      cwd: resolve(this.places.home, this.definition.working_dir ?? '.'),
      environment: this.#environment,
      ...(owned && { owner: this.#owner }),
    };
  }

  /** A command as it is run. */
  command(name: CommandName): ServiceCommand | undefined {
    const { commands, config_form } = this.definition;
    const command = commands[name];
    return command && withoutSecretArguments(command, config_form.fields);
  }

  /**
   * Runs one of the commands, if there is one of this name. Throws `process_failed` when it does not end well,
   * `command_not_found`, `timeout`, `cancelled`; no secret is in the message.
   */
  async run(
    name: CommandName,
    options: { signal: AbortSignal; timeoutMs?: number; onStarted?: (pid: number) => Promise<void> },
  ): Promise<void> {
    const outcome = await this.outcomeOf(name, options);
    if (!outcome) return;
    const { exit, output } = outcome;
    assertSucceeded({ exit, output: this.log.redact(output) }, this.#nameOf(name));
  }

  /** As {@link run}, for whoever judges the outcome. Health checks are not logged. */
  async outcomeOf(
    name: CommandName,
    options: { signal: AbortSignal; timeoutMs?: number; onStarted?: (pid: number) => Promise<void> },
  ): Promise<CommandOutcome | undefined> {
    const command = this.command(name);
    if (!command) return undefined;
    const isCheck = name === 'health_check';
    const startsSomething = name === 'start' || name === 'restart';
    if (!isCheck) this.log.write(`── ${name}`);
    return runCommand(command, {
      ...this.commandOptions(!startsSomething),
      what: this.#nameOf(name),
      timeoutMs: command.timeout_seconds === undefined ? (options.timeoutMs ?? 60_000) : command.timeout_seconds * 1000,
      signal: options.signal,
      endsWhole: !startsSomething && name !== 'install',
      onLine: (line) => {
        if (!isCheck) this.log.write(line);
      },
      onStarted: options.onStarted,
    });
  }

  /** Throws `command_not_found` for a program that the definition needs and the machine has not. */
  async assertRequirements(): Promise<void> {
    const { cwd, environment } = this.commandOptions(true);
    const { PATH = '' } = childEnvironment({ cwd, env: environment });
    for (const { program, hint } of this.definition.requires) {
      const places = program.includes('/') ? [program] : PATH.split(delimiter).map((folder) => join(folder, program));
      const found = await Promise.all(places.map((place) => access(place, constants.X_OK).then(isTrue, isFalse)));
      if (found.includes(true)) continue;
      throw new LunaError(
        'command_not_found',
        `"${this.definition.name}" needs the program "${program}", which this machine does not have. ${hint ?? 'Install it and try again.'}`,
        { details: { command: program } },
      );
    }
  }

  /**
   * Throws `port_taken`, naming the port, when another program listens on one that the form has, and still does so after
   * the patience in milliseconds.
   */
  async assertPortsFree(patienceMs = 0): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (const field of this.definition.config_form.fields.filter(isPort)) {
      const port = Number(this.values[field.name]);
      if (!Number.isInteger(port)) continue;
      let free = await isFree(port);
      while (!free && performance.now() < deadline) {
        await sleep(50);
        free = await isFree(port);
      }
      if (free) continue;
      throw new LunaError(
        'port_taken',
        `Port ${port} (${field.name}) is taken by another program. Stop that program, or choose another port.`,
        { details: { port } },
      );
    }
  }

  #nameOf(command: CommandName): string {
    return `${command} of "${this.definition.name}"`;
  }
}

const isTrue = () => true;
const isFalse = () => false;

function isFree(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer();
    // What cannot be found out here (a port below 1024, for example) the service will say itself.
    server.once('error', (error) => settle(systemCodeOf(error) !== 'EADDRINUSE'));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => settle(true)));
  });
}
