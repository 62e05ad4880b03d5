import { basename } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { LunaError, messageOf } from '../../errors/index.ts';
import type { SourceCall, SourceHealth, Tool, ToolArguments, ToolResult } from '../../tools/index.ts';
import { errorResult } from '../../tools/index.ts';
import type { ReloadableSource } from '../kind.ts';
import { argumentsOf } from './arguments.ts';
import type { PluginCommand } from './description.ts';
import { DescriptionCache } from './description-cache.ts';
import { type Ask, discover } from './discover.ts';
import { toolOf } from './input-schema.ts';
import { findProgram, type PluginProgram, type PluginSettings, readSettings } from './program.ts';
import { resultOf } from './result.ts';
import { runProgram } from './run.ts';

/** How long a program may take to show its help, in milliseconds. */
const helpLimitMs = 20_000;

export interface PluginSourceOptions {
  /** The folder of the plugin; its name is the id of the source. */
  readonly folder: string;
  /** The values of secrets. A plugin gets those that its plugin.json asks for. */
  readonly secrets?: () => Promise<Readonly<Record<string, string>>>;
  /** See `ChildOptions.owner`. */
  readonly owner?: string;
  /** Where what the plugin says of itself is kept. Default: it is asked at each start. */
  readonly cacheFile?: string;
  /** Lets some plugins be discovered at once, and others wait. */
  readonly inLine?: <Value>(work: () => Promise<Value>) => Promise<Value>;
  readonly onLog?: (line: string) => void;
}

interface LoadedCommand {
  readonly tool: Tool;
  readonly command: PluginCommand;
  readonly validate: ValidateFunction;
}

interface Version {
  readonly program: PluginProgram;
  readonly settings: PluginSettings;
  readonly commands: ReadonlyMap<string, LoadedCommand>;
}

/** The tools of one plugin: a program whose commands are run, each call in a process of its own. */
export class PluginSource implements ReloadableSource {
  readonly id: string;
  readonly kind = 'plugin';
  readonly #options: PluginSourceOptions;
  readonly #listeners = new Set<() => void>();
  #version: Version | undefined;
  #tools: readonly Tool[] = [];
  #health: SourceHealth = { status: 'stopped' };
  #closing = new AbortController();
  #loading = new AbortController();
  #queue: Promise<void> = Promise.resolve();
  readonly #calls = new Set<Promise<unknown>>();

  constructor(options: PluginSourceOptions) {
    this.#options = options;
    this.id = basename(options.folder);
  }

  list(): readonly Tool[] {
    return this.#tools;
  }

  health(): SourceHealth {
    return this.#health;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    this.#closing = new AbortController();
    this.#set({ status: 'starting' });
    await this.#enqueueLoad(true);
  }

  reload(): Promise<void> {
    return this.#enqueueLoad(false);
  }

  #enqueueLoad(takesKept: boolean): Promise<void> {
    this.#loading.abort();
    const inLine = this.#options.inLine ?? ((work) => work());
    this.#queue = this.#queue.then(() =>
      this.#closing.signal.aborted ? undefined : inLine(() => this.#load(takesKept)),
    );
    return this.#queue;
  }

  async call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    const version = this.#version;
    if (!version) {
      const reason = this.#health.reason ?? 'it is not running';
      throw new LunaError('source_unavailable', `The plugin "${this.id}" cannot be called: ${reason}`, {
        details: { outcome: 'failed' },
      });
    }
    const command = version.commands.get(name);
    if (!command) throw new LunaError('tool_not_found', `The plugin "${this.id}" has no tool "${name}".`);
    if (!command.validate(args))
      return errorResult(`Wrong arguments: ${ajv.errorsText(command.validate.errors, { dataVar: 'arguments' })}`);
    const running = this.#run(version, argumentsOf(command.command, args), call);
    this.#calls.add(running);
    try {
      return resultOf(name, await running);
    } finally {
      this.#calls.delete(running);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#loading.abort();
    await this.#queue;
    await Promise.allSettled(this.#calls);
    this.#version = undefined;
    this.#set({ status: 'stopped' });
  }

  async #run(version: Version, args: readonly string[], call: SourceCall) {
    let lines = 0;
    return runProgram({
      program: version.program,
      args,
      folder: this.#options.folder,
      env: await this.#secretsFor(version.settings),
      owner: this.#options.owner,
      timeoutMs: version.settings.timeout_seconds * 1000,
      maxOutputBytes: version.settings.max_output_bytes,
      signal: AbortSignal.any([call.signal, this.#closing.signal]),
      onErrorLine: (line) => {
        this.#options.onLog?.(line);
        call.onProgress?.({ progress: ++lines, message: line });
      },
    });
  }

  async #load(takesKept: boolean): Promise<void> {
    const loading = new AbortController();
    this.#loading = loading;
    if (this.#closing.signal.aborted) return;
    try {
      const version = await this.#discover(loading.signal, takesKept);
      this.#version = version;
      const tools = [...version.commands.values()].map(({ tool }) => tool);
      if (JSON.stringify(tools) !== JSON.stringify(this.#tools)) this.#tools = tools;
      this.#set({ status: 'ready' });
    } catch (thrown) {
      if (loading.signal.aborted) return;
      const reason = messageOf(thrown);
      this.#options.onLog?.(reason);
      if (this.#version)
        this.#set({ status: 'degraded', reason: `${reason} (the last good version of its commands is kept)` });
      else this.#set({ status: 'down', reason });
    }
  }

  async #discover(signal: AbortSignal, takesKept: boolean): Promise<Version> {
    const { folder, owner, cacheFile } = this.#options;
    const program = await findProgram(folder);
    const settings = await readSettings(folder);
    const env = await this.#secretsFor(settings);
    const cache = cacheFile === undefined ? undefined : new DescriptionCache(cacheFile, folder);
    const kept = takesKept ? await cache?.get() : undefined;
    const ask: Ask = (args) =>
      runProgram({ program, args, folder, env, owner, signal, timeoutMs: helpLimitMs, maxOutputBytes: 1_000_000 });
    const description = kept ?? (await discover(ask));
    if (!kept) await cache?.put(description);
    const commands = description.commands.map((command): [string, LoadedCommand] => {
      const tool = toolOf(this.id, command, description.description);
      return [tool.name, { tool, command, validate: ajv.compile(tool.inputSchema) }];
    });
    return { program, settings, commands: new Map(commands) };
  }

  async #secretsFor(settings: PluginSettings): Promise<Record<string, string>> {
    const wanted = [...settings.secrets, ...settings.optional_secrets];
    const secrets = wanted.length > 0 ? ((await this.#options.secrets?.()) ?? {}) : {};
    const asked = wanted.filter((key) => Object.hasOwn(secrets, key));
    return Object.fromEntries(asked.map((key) => [key, secrets[key] ?? '']));
  }

  #set(health: SourceHealth): void {
    this.#health = health;
    for (const listener of this.#listeners) listener();
  }
}

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
