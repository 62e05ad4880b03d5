import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setFolderAside } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { ownerMark } from './child.ts';
import { type GroupUsage, usageOfGroups } from './group-usage.ts';
import { isRunning, processesMarked } from './process-identity.ts';
import type { ServiceDefinition, ServiceState } from './service.ts';
import { ServiceLog } from './service-log.ts';
import { type FormerState, readStateFile, StateFile } from './state-file.ts';
import { stopProcesses } from './stop.ts';
import { SupervisedProcess } from './supervised-process.ts';

export interface SupervisorOptions {
  /** Where each service gets its `<name>.log`. */
  readonly logsFolder: string;
  /** Rewritten at each change; who runs and since when can be read there while the supervisor lives, and after. */
  readonly stateFile: string;
  /**
   * Marks all processes (see `ChildOptions.owner`). Given by somebody who knows of more that is marked so, such as the
   * lock of a home. Left out: one of its own.
   */
  readonly owner?: string;
  /** Sizes of logs. */
  readonly logs?: { readonly maxBytes?: number; readonly keep?: number };
  /** After a service came, went, or changed its state. */
  readonly onChange?: () => void;
}

/** A service, as it is now and what it uses. */
export interface ServiceReport extends ServiceState {
  readonly name: string;
  readonly port?: number;
  /** Of one core, in percent, since the last report. */
  readonly cpuPercent?: number;
  readonly memoryBytes?: number;
  readonly processes?: number;
}

/** With this, and a second for what has left its group, Luna ends within its ten seconds. */
const closeLimitMs = 7_000;
const legalName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Keeps a set of programs running, each in a process group of its own. */
export class Supervisor {
  readonly #options: SupervisorOptions & { readonly owner: string };
  readonly #services = new Map<string, SupervisedProcess>();
  readonly #state: StateFile;
  readonly #used = new Map<string, { pid: number; cpuSeconds: number; at: number }>();
  readonly #isLocked: boolean;
  #work: Promise<unknown> = Promise.resolve();
  #isReset = false;

  /** Makes one that starts nothing before {@link reset}. */
  constructor(options: SupervisorOptions) {
    this.#options = { ...options, owner: options.owner ?? randomUUID() };
    this.#isLocked = options.owner !== undefined;
    this.#state = new StateFile(options.stateFile, this.#options.owner, () => this.#states());
  }

  /** Makes a supervisor and {@link reset}s what an earlier one left. */
  static async open(options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(options);
    await supervisor.reset();
    return supervisor;
  }

  /** Throws `already_running` while an earlier supervisor still lives. */
  async assertAlone(): Promise<void> {
    await formerState(this.#options.stateFile, this.#isLocked);
  }

  /**
   * Ends what an earlier supervisor left running, and begins its state file anew, once. Returns how many processes those were.
   * Throws `already_running` when that one still lives.
   */
  async reset(): Promise<number> {
    if (this.#isReset) return 0;
    const ended = await endLeftovers(this.#options.stateFile, this.#isLocked);
    await setFolderAside(this.#options.stateFile);
    this.#isReset = true;
    await this.#state.write();
    return ended;
  }

  /**
   * Makes these be the services: starts what is new, stops what is gone, restarts what is defined otherwise, and leaves
   * the others alone, also those that somebody stopped. Settles when what had to end has ended. Throws `invalid_input`
   * for a name that is not legal or stands twice; then nothing is changed.
   */
  apply(definitions: readonly ServiceDefinition[]): Promise<void> {
    const wanted = new Map(definitions.map((definition) => [definition.name, definition]));
    if (wanted.size < definitions.length) throw new LunaError('invalid_input', 'Two services have the same name.');
    for (const name of wanted.keys()) assertLegal(name);
    return this.#inTurn(async () => {
      const leaving = [...this.#services.values()].filter(
        ({ definition }) => JSON.stringify(wanted.get(definition.name)) !== JSON.stringify(definition),
      );
      await Promise.all(leaving.map((service) => this.#remove(service)));
      const coming = [...wanted.values()].filter(({ name }) => !this.#services.has(name));
      await Promise.all(coming.map((definition) => this.#add(definition)));
    });
  }

  /** Starts a service that was stopped or has failed. Throws `not_found`. */
  async start(name: string): Promise<void> {
    await this.#service(name).start();
  }

  /** Stops a service until it is started or defined otherwise. Throws `not_found`. */
  async stop(name: string): Promise<void> {
    await this.#service(name).stop();
  }

  async restart(name: string): Promise<void> {
    await this.#service(name).restart();
  }

  /** How a service is now; undefined when there is none. */
  state(name: string): ServiceState | undefined {
    return this.#services.get(name)?.state;
  }

  /** How a service was defined when it was started last; undefined when there is none. */
  definition(name: string): ServiceDefinition | undefined {
    return this.#services.get(name)?.definition;
  }

  /** The log of a service. Throws `not_found`. */
  log(name: string): Pick<ServiceLog, 'tail' | 'follow'> {
    return this.#service(name).log;
  }

  /** All services, in order of name. */
  async report(): Promise<ServiceReport[]> {
    const services = [...this.#services.values()].sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
    const groups = new Set(services.map(({ state }) => state.pid).filter((pid) => pid !== undefined));
    const usage = await usageOfGroups(groups);
    return services.map(({ definition: { name, port }, state }) => ({
      name,
      ...(port !== undefined && { port }),
      ...state,
      ...this.#usageOf(name, state.pid, usage),
    }));
  }

  /** Waits until it is known of each service whether it became ready, or for the limit in milliseconds. */
  async settled(limitMs = 60_000): Promise<void> {
    await this.#work;
    await Promise.all([...this.#services.values()].map((service) => service.settled(limitMs)));
  }

  /** What else the state file is to hold, such as the address of a server. */
  async describe(about: Readonly<Record<string, unknown>>): Promise<void> {
    this.#state.about = about;
    // What an earlier one left is known by its file alone.
    if (this.#isReset) await this.#state.write();
  }

  /**
   * Stops everything. Safe to call twice. Whatever their definitions say, programs get no longer than the limit in
   * milliseconds: whoever ends this is waited for, too.
   */
  close(limitMs = closeLimitMs): Promise<void> {
    return this.#inTurn(async () => {
      await Promise.all([...this.#services.values()].map((service) => this.#remove(service, limitMs)));
      if (this.#isReset) await this.#state.remove();
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  #service(name: string): SupervisedProcess {
    const service = this.#services.get(name);
    if (!service) throw new LunaError('not_found', `There is no service "${name}".`);
    return service;
  }

  async #add(definition: ServiceDefinition): Promise<void> {
    const log = new ServiceLog({
      file: join(this.#options.logsFolder, `${definition.name}.log`),
      ...this.#options.logs,
    });
    const service = new SupervisedProcess({
      definition,
      log,
      owner: this.#options.owner,
      onChange: () => this.#changed(),
    });
    this.#services.set(definition.name, service);
    await service.start();
  }

  async #remove(service: SupervisedProcess, limitMs?: number): Promise<void> {
    await service.stop(limitMs);
    await service.log.close();
    this.#services.delete(service.definition.name);
    this.#changed();
  }

  #changed(): void {
    this.#state.changed();
    this.#options.onChange?.();
  }

  #states(): Record<string, unknown> {
    const states = [...this.#services.values()].map(({ definition: { name, port }, state }) => [
      name,
      { ...(port !== undefined && { port }), ...state },
    ]);
    return Object.fromEntries(states);
  }

  #usageOf(
    name: string,
    pid: number | undefined,
    usage: ReadonlyMap<number, GroupUsage>,
  ): Pick<ServiceReport, 'cpuPercent' | 'memoryBytes' | 'processes'> {
    const now = pid === undefined ? undefined : usage.get(pid);
    if (pid === undefined || !now) return {};
    const before = this.#used.get(name);
    const at = performance.now();
    this.#used.set(name, { pid, cpuSeconds: now.cpuSeconds, at });
    const { memoryBytes, processes } = now;
    if (before?.pid !== pid || at - before.at < 100) return { memoryBytes, processes };
    const percent = ((now.cpuSeconds - before.cpuSeconds) / ((at - before.at) / 1000)) * 100;
    return { memoryBytes, processes, cpuPercent: Math.max(0, Math.round(percent * 10) / 10) };
  }
}

function assertLegal(name: string): void {
  if (!legalName.test(name)) {
    throw new LunaError('invalid_input', `"${name}" cannot name a service: use letters, digits, ".", "_" and "-".`);
  }
}

/** What an earlier supervisor wrote, where it has ended. Throws `already_running` when it still lives. */
async function formerState(stateFile: string, isLocked: boolean): Promise<FormerState | undefined> {
  const former = await readStateFile(stateFile);
  // Under a lock nobody else can be in this process: what it holds is of one that failed before it had started anything.
  if (!former || (isLocked && former.supervisor.pid === process.pid)) return undefined;
  if (!(await isRunning(former.supervisor))) return former;
  const { pid } = former.supervisor;
  throw new LunaError('already_running', `Another supervisor keeps ${stateFile}, as process ${pid}.`, {
    details: { pid },
  });
}

async function endLeftovers(stateFile: string, isLocked: boolean): Promise<number> {
  const former = await formerState(stateFile, isLocked);
  if (!former) return 0;
  const listed = Object.values(former.services).flatMap(({ pid, startTime }) =>
    pid !== undefined && startTime !== undefined ? [{ pid, startTime }] : [],
  );
  const marked = await processesMarked(ownerMark, former.owner);
  await stopProcesses([...listed, ...marked]);
  return new Set([...listed, ...marked].map(({ pid }) => pid)).size;
}
