import { basename, join } from 'node:path';
import { LunaError, messageOf } from '../../errors/index.ts';
import { filesIn, watchFolders } from '../../sources/index.ts';
import type { Agent } from '../agent.ts';
import { AgentHost } from './host.ts';

export interface HomeAgentsOptions {
  /** The folder with the files. It need not be there. */
  readonly folder: string;
  /** Memory limit of each worker's heap, in MiB. Default 512. */
  readonly memoryLimitMb?: number;
  /** How long turns under way may go on in the old version of a file, in milliseconds. Default 10 minutes. */
  readonly drainLimitMs?: number;
  readonly onLog: (file: string, line: string) => void;
  /** Called after agents came, went or changed, or a file no longer loads. */
  readonly onChange?: () => void;
}

/** A file with agents, as people are shown it. */
export interface AgentFileState {
  readonly file: string;
  readonly agents: readonly string[];
  /** Why it does not load. The last good version goes on where there is one. */
  readonly problem?: string;
}

interface Loaded {
  host: AgentHost | undefined;
  problem: string | undefined;
  /** What the last good version had. */
  agents: AgentHost['agents'];
}

/**
 * Agents of one's own: each file of a folder, in a worker of its own. A saved file is loaded anew at once; turns under way
 * end in the old version, and a version that does not load leaves the last good one.
 */
export class HomeAgents {
  readonly #options: HomeAgentsOptions;
  readonly #files = new Map<string, Loaded>();
  readonly #draining = new Set<Promise<void>>();
  #watcher: { close(): Promise<void> } | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: HomeAgentsOptions) {
    this.#options = options;
  }

  /** Loads all files and begins to watch. */
  async start(): Promise<void> {
    await this.#enqueue(() => this.#sync());
    this.#watcher = await watchFolders(this.#options.folder, (entry) => {
      void this.#enqueue(() => this.#changed(entry));
    });
  }

  /** The agents of all files. Of two with one name the first file's is there. */
  agents(): Agent[] {
    const agents = new Map<string, Agent>();
    for (const [file, { agents: listed }] of this.#files)
      for (const { name, description } of listed)
        if (!agents.has(name)) agents.set(name, { name, description, run: (turn) => this.#run(file, name, turn) });
    return [...agents.values()];
  }

  state(): AgentFileState[] {
    const owners = new Map<string, string>();
    return [...this.#files].map(([file, { agents, problem }]) => {
      const problems = problem === undefined ? [] : [problem];
      for (const { name } of agents) {
        const owner = owners.get(name);
        if (owner !== undefined)
          problems.push(`${file}: the agent "${name}" is left out because ${owner} has one of this name.`);
        else owners.set(name, file);
      }
      return {
        file,
        agents: agents.map(({ name }) => name),
        ...(problems.length > 0 && { problem: problems.join(' ') }),
      };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#watcher?.close();
    await this.#work;
    await Promise.all([...this.#files.values()].map(({ host }) => host?.stop()));
    this.#files.clear();
  }

  /** A worker that ended is started again by the next turn that wants it. */
  async #run(file: string, name: string, turn: Parameters<Agent['run']>[0]) {
    if (this.#files.get(file)?.host?.ended !== false) await this.#enqueue(() => this.#load(file));
    const loaded = this.#files.get(file);
    if (!loaded?.host || loaded.host.ended)
      throw new LunaError(
        'source_unavailable',
        `The agent "${name}" cannot be run: ${loaded?.problem ?? `${file} is gone`}`,
      );
    return loaded.host.run(name, turn);
  }

  async #changed(entry: string): Promise<void> {
    if (isAgentFile(entry)) {
      const isThere = (await this.#names()).includes(entry);
      if (isThere) await this.#load(entry);
      else this.#remove(entry);
    } else {
      // Something that files import: nobody knows which.
      for (const name of await this.#names()) await this.#load(name);
    }
    this.#options.onChange?.();
  }

  async #sync(): Promise<void> {
    await Promise.all((await this.#names()).map((name) => this.#load(name)));
    this.#options.onChange?.();
  }

  async #load(name: string): Promise<void> {
    const { folder, memoryLimitMb = 512, onLog } = this.#options;
    const former = this.#files.get(name);
    try {
      const host = await AgentHost.start({
        file: join(folder, name),
        memoryLimitMb,
        onLog: (line) => onLog(name, line),
      });
      this.#files.set(name, { host, problem: undefined, agents: host.agents });
      if (former?.host) this.#drain(former.host);
    } catch (thrown) {
      const reason = messageOf(thrown);
      onLog(name, reason);
      const serving = former?.host?.ended === false;
      this.#files.set(name, {
        host: former?.host,
        agents: former?.agents ?? [],
        problem: serving ? `${reason} (the last good version goes on)` : reason,
      });
    }
  }

  #remove(name: string): void {
    const former = this.#files.get(name);
    this.#files.delete(name);
    if (former?.host) this.#drain(former.host);
  }

  #drain(host: AgentHost): void {
    const drained = host.drain(this.#options.drainLimitMs ?? 600_000).finally(() => this.#draining.delete(drained));
    this.#draining.add(drained);
  }

  async #names(): Promise<string[]> {
    return (await filesIn(this.#options.folder)).filter(isAgentFile);
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work
      .then(() => (this.#closed ? undefined : work()))
      .catch((thrown) => {
        this.#options.onLog(basename(this.#options.folder), messageOf(thrown));
      });
    return this.#work;
  }
}

function isAgentFile(name: string): boolean {
  return /\.(?:m?ts|m?js)$/.test(name) && !/\.(?:d|test)\.m?ts$/.test(name);
}
