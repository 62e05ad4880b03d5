import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type ConfigStore, type HomePaths, type MasterConfig, publicPathOf } from '../../config/index.ts';
import { messageOf } from '../../errors/index.ts';
import { foldersIn } from '../../sources/index.ts';
import {
  choosePort,
  type HealthCheck,
  isFree,
  type ServiceDefinition,
  type Supervisor,
} from '../../supervisor/index.ts';
import type { ServiceView } from '../views.ts';
import { type BrokenProgram, type ExtensionProgram, findPrograms } from './programs.ts';

export interface ExtensionServicesOptions {
  readonly paths: Pick<HomePaths, 'extensions' | 'extensionData' | 'root'>;
  readonly config: ConfigStore;
  readonly supervisor: Supervisor;
  /** The values of `.env`, read anew. */
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  /** The address that people reach Luna under. */
  readonly publicUrl: () => string;
  /** Covers secrets in what programs print. */
  readonly redact: (text: string) => string;
  readonly onLog: (from: string, line: string) => void;
}

/** Where a request for an extension goes. */
export interface ExtensionRoute {
  readonly name: string;
  /** Undefined while nothing listens; {@link problem} says why. */
  readonly port?: number;
  readonly problem?: string;
  /** Whether it was started and has not been well yet. */
  readonly isStarting: boolean;
  /** The part of the path that belongs to Luna, without a slash at its end. */
  readonly prefix: string;
  readonly stripPrefix: boolean;
  /** Whether the prefix alone leads on to the prefix with a slash. */
  readonly slash: boolean;
}

/** UIs get ports of the first range, services of the second. */
const ranges = { ui: { from: 5200, to: 5299 }, service: { from: 5300, to: 5399 } };

/**
 * The UIs and services of extensions: found in their folders, given ports that stay the same, kept running by the
 * supervisor.
 */
export class ExtensionServices {
  readonly #options: ExtensionServicesOptions;
  #programs: readonly ExtensionProgram[] = [];
  #broken: readonly BrokenProgram[] = [];

  constructor(options: ExtensionServicesOptions) {
    this.#options = options;
  }

  /** Makes what runs be what the folders of extensions that are on ask for. */
  async apply(): Promise<void> {
    const { config, paths, supervisor } = this.#options;
    const names = (await foldersIn(paths.extensions)).filter(
      (name) => config.config.extensions[name]?.enabled !== false,
    );
    const found = await Promise.all(names.map((name) => findPrograms(name, join(paths.extensions, name))));
    this.#broken = found.flatMap(({ broken }) => broken);
    const known = new Map(this.#programs.map((program) => [program.name, program]));
    // One whose files are broken just now goes on as it was.
    const kept = this.#broken.flatMap(({ name }) => known.get(name) ?? []);
    const programs = [...found.flatMap(({ programs: good }) => good), ...kept];
    const ports = await this.#assignPorts(programs);
    this.#programs = programs.filter(({ name, needsPort }) => !needsPort || ports.has(name));
    const secrets = await this.#options.secrets();
    await supervisor.apply(
      this.#programs.map((program) => this.#definition(program, ports.get(program.name), secrets)),
    );
  }

  /** Whether a program cannot run because a stranger has come to its port. {@link apply} gives it another one. */
  async wantsOtherPort(): Promise<boolean> {
    const { supervisor } = this.#options;
    for (const { name } of this.#programs) {
      const status = supervisor.state(name)?.status;
      const port = supervisor.definition(name)?.port;
      if ((status === 'backoff' || status === 'failed') && port !== undefined && !(await isFree(port))) return true;
    }
    return false;
  }

  /** The UI of an extension; undefined when it has none. */
  uiRoute(extension: string): ExtensionRoute | undefined {
    const ui = this.#programs.find((program) => program.extension === extension && program.kind === 'ui');
    return ui && this.#route(ui, `/ext/${extension}`);
  }

  /**
   * The service for a path below `/api/<extension>/`: the one that the next segment names, else the only one, the one
   * that says it is the default, or the first by name.
   */
  serviceRoute(extension: string, segment: string): ExtensionRoute | undefined {
    const all = this.#programs.filter((one) => one.extension === extension && one.kind === 'service' && one.needsPort);
    const named = all.length > 1 ? all.find(({ service }) => service === segment) : undefined;
    if (named) return this.#route(named, `/api/${extension}/${segment}`);
    const service = all.find(({ isDefault }) => isDefault) ?? all[0];
    return service && this.#route(service, `/api/${extension}`);
  }

  /** Where the services of an extension answer that run now, by their names. */
  urlsOf(extension: string): Record<string, string> {
    const own = this.#programs.filter((program) => program.extension === extension && program.kind === 'service');
    return Object.fromEntries(
      own.flatMap(({ name, service }) => {
        const port = this.#options.supervisor.definition(name)?.port;
        const isUp = this.#options.supervisor.state(name)?.pid !== undefined;
        return isUp && port !== undefined ? [[service, `http://127.0.0.1:${port}`]] : [];
      }),
    );
  }

  /** All of them, those that cannot be started too. */
  async describe(): Promise<ServiceView[]> {
    const { supervisor, redact, publicUrl } = this.#options;
    const reports = new Map((await supervisor.report()).map((report) => [report.name, report]));
    const running = this.#programs.map((program): ServiceView => {
      const {
        startTime: _,
        lastLines,
        reason,
        ...report
      } = reports.get(program.name) ?? {
        status: 'stopped' as const,
        since: 0,
        restarts: 0,
      };
      const problem = this.#broken.find(({ name }) => name === program.name)?.problem ?? reason;
      return {
        ...report,
        name: program.name,
        extension: program.extension,
        kind: program.kind,
        ...(problem !== undefined && { reason: redact(problem) }),
        ...(lastLines && { lastLines: lastLines.map(redact) }),
        ...(program.kind === 'ui' && { url: `${publicUrl()}/ext/${program.extension}/` }),
      };
    });
    const names = new Set(running.map(({ name }) => name));
    const broken = this.#broken
      .filter(({ name }) => !names.has(name))
      .map(({ problem, ...about }) => ({
        ...about,
        status: 'failed' as const,
        since: 0,
        restarts: 0,
        reason: problem,
      }));
    return [...running, ...broken].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #route(program: ExtensionProgram, prefix: string): ExtensionRoute {
    const { name, stripPrefix, slash } = program;
    const port = this.#options.supervisor.definition(name)?.port;
    const state = this.#options.supervisor.state(name);
    // One that is ill may still answer; one that starts may answer already.
    const isUp = state?.pid !== undefined;
    const problem = `${name} is ${state?.status ?? 'stopped'}${state?.reason === undefined ? '.' : `: ${state.reason}`}`;
    const isStarting = state?.status === 'starting';
    return { name, prefix, stripPrefix, slash, isStarting, ...(isUp && port !== undefined ? { port } : { problem }) };
  }

  #definition(
    program: ExtensionProgram,
    port: number | undefined,
    secrets: Readonly<Record<string, string>>,
  ): ServiceDefinition {
    const { paths, config, publicUrl } = this.#options;
    const { folder, extension, kind, interpreter, health } = program;
    const [command = '', ...args] = [...interpreter, join(folder, 'start.sh')];
    const asked = program.secrets.flatMap((key) => (secrets[key] === undefined ? [] : [[key, secrets[key]] as const]));
    const check = healthOf(health, port, folder);
    return {
      name: program.name,
      command,
      args: port === undefined ? args : [...args, String(port)],
      cwd: folder,
      env: {
        LUNA_EXTENSION: extension,
        LUNA_DATA_DIR: join(paths.extensionData, extension),
        LUNA_BASE_PATH: `${publicPathOf(publicUrl())}/${kind === 'ui' ? 'ext' : 'api'}/${extension}/`,
        ...(port !== undefined && { PORT: String(port) }),
      },
      envAtStart: () => ({
        ...Object.fromEntries(asked),
        LUNA_PORTS: JSON.stringify(config.config.port_assignments),
        LUNA_URL: publicUrl(),
      }),
      ...(port !== undefined && { port }),
      ...(check && { health: check }),
      healthTimes: { intervalMs: program.healthIntervalMs },
      restartOnFailure: program.restartOnFailure,
      revision: `${program.revision} ${createHash('sha256').update(JSON.stringify(asked)).digest('hex')}`,
    };
  }

  /** Gives each program that wants one its port, and takes back those of programs that are gone for good. */
  async #assignPorts(programs: readonly ExtensionProgram[]): Promise<Map<string, number>> {
    const { config, supervisor, onLog, paths } = this.#options;
    const { extensions, services } = config.config.port_assignments;
    const wanting = programs.filter(({ needsPort }) => needsPort).sort((a, b) => (a.name < b.name ? -1 : 1));
    const ports = new Map<string, number>();
    const taken = new Set([...Object.values(extensions), ...Object.values(services)]);
    for (const { name, kind, extension } of wanting) {
      const former = kind === 'ui' ? extensions[extension] : services[name];
      const isListening = supervisor.state(name)?.pid !== undefined && supervisor.definition(name)?.port === former;
      if (former !== undefined && isListening) {
        ports.set(name, former);
        continue;
      }
      if (former !== undefined) taken.delete(former);
      try {
        const port = await choosePort({
          range: ranges[kind],
          taken,
          former,
          onStranger: (strange) => onLog(name, `Port ${strange} is taken by another program; it gets another one.`),
        });
        ports.set(name, port);
        taken.add(port);
      } catch (thrown) {
        onLog(name, messageOf(thrown));
      }
    }
    await this.#keepPorts(new Set(await foldersIn(paths.extensions)), wanting, ports);
    return ports;
  }

  async #keepPorts(
    folders: ReadonlySet<string>,
    programs: readonly ExtensionProgram[],
    ports: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { config } = this.#options;
    const present = new Set([...programs, ...this.#broken].map(({ name }) => name));
    // An extension that is switched off keeps its ports.
    const keeps = (extension: string, name: string) =>
      folders.has(extension) && (config.config.extensions[extension]?.enabled === false || present.has(name));
    const change = ({ port_assignments: { extensions, services } }: MasterConfig) => {
      for (const name of Object.keys(extensions)) if (!keeps(name, `${name}.ui`)) delete extensions[name];
      for (const name of Object.keys(services)) if (!keeps(extensionOf(name), name)) delete services[name];
      for (const { name, kind, extension } of programs) {
        const port = ports.get(name);
        if (port === undefined) continue;
        if (kind === 'ui') extensions[extension] = port;
        else services[name] = port;
      }
    };
    const after = structuredClone(config.config);
    change(after);
    const isNews = JSON.stringify(after.port_assignments) !== JSON.stringify(config.config.port_assignments);
    if (isNews) await config.update(change);
  }
}

/** Of `<extension>.<service>`; only the extension's name may hold dots. */
function extensionOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}

function healthOf(
  health: ExtensionProgram['health'],
  port: number | undefined,
  folder: string,
): HealthCheck | undefined {
  if (health === false) return undefined;
  if (typeof health === 'object' && 'command' in health) {
    const [command = '', ...args] = health.command as string[];
    return { kind: 'command', command: command.startsWith('./') ? join(folder, command) : command, args };
  }
  if (port === undefined) return undefined;
  if (health === undefined) return { kind: 'tcp', port };
  const path = typeof health === 'string' ? health : health.path;
  return { kind: 'http', url: `http://127.0.0.1:${port}${path}` };
}
