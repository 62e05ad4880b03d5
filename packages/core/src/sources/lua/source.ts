import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { withoutMark } from '../../config/index.ts';
import { LunaError, messageOf, systemCodeOf } from '../../errors/index.ts';
import type { LuaState } from '../../store/index.ts';
import {
  argumentCheck,
  type SourceCall,
  type SourceHealth,
  type Tool,
  type ToolArguments,
  type ToolResult,
  toToolResult,
} from '../../tools/index.ts';
import type { ReloadableSource } from '../kind.ts';
import { luaHost } from './host.ts';
import { inputSchemaOf, type LuaManifest, parseLuaManifest } from './manifest.ts';
import type { LuaPool } from './pool.ts';

/** Calls a tool on behalf of a script. `depth`: how many scripts have called one another. */
export type CallTool = (
  name: string,
  args: ToolArguments,
  by: {
    readonly tool: string;
    readonly depth: number;
    readonly signal: AbortSignal;
    readonly requestId?: string | undefined;
  },
) => Promise<ToolResult>;

export interface LuaSourceOptions {
  /** The folder with `mcp_tool.json` and `main.lua`; its name is the name of the tool. */
  readonly folder: string;
  /** The home, which permitted paths are relative to. */
  readonly home: string;
  readonly pool: LuaPool;
  readonly state: LuaState;
  readonly fetch: typeof fetch;
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly callTool: CallTool;
  readonly onLog?: (line: string) => void;
}

interface Version {
  readonly manifest: LuaManifest;
  readonly script: string;
  readonly tool: Tool;
  readonly check: (args: ToolArguments) => ToolArguments;
}

/** The `_meta` in which the depth of a call by a script goes along. */
export const luaDepthKey = 'dev.luna/lua-depth';
const maxDepth = 8;

/** A tool in Lua: one folder. What is saved counts for the next call; a broken version leaves the last good one. */
export class LuaSource implements ReloadableSource {
  readonly id: string;
  readonly kind = 'lua';
  readonly #options: LuaSourceOptions;
  readonly #listeners = new Set<() => void>();
  #version: Version | undefined;
  #tools: readonly Tool[] = [];
  #health: SourceHealth = { status: 'stopped' };

  constructor(options: LuaSourceOptions) {
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

  start(): Promise<void> {
    return this.reload();
  }

  async reload(): Promise<void> {
    try {
      const version = await this.#read();
      const isSame = JSON.stringify(version.tool) === JSON.stringify(this.#version?.tool);
      this.#version = version;
      if (!isSame) this.#tools = [version.tool];
      this.#health = { status: 'ready' };
    } catch (thrown) {
      const reason = messageOf(thrown);
      this.#options.onLog?.(reason);
      this.#health = this.#version
        ? { status: 'degraded', reason: `${reason} The last good version is served.` }
        : { status: 'down', reason };
    }
    for (const listener of this.#listeners) listener();
  }

  async call(_name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    if (!this.#version) {
      throw new LunaError('source_unavailable', this.#health.reason ?? `The tool "${this.id}" is not loaded.`, {
        details: { outcome: 'failed' },
      });
    }
    const { manifest, script, check } = this.#version;
    const { limits, permissions } = manifest;
    const checked = check(args);
    const { pool, home, state, fetch, callTool, secrets, onLog } = this.#options;
    const depth = depthOf(call);
    const env = permissions.env.length === 0 ? {} : pick(await secrets(), permissions.env);
    const ended = new AbortController();
    try {
      const result = await pool.run({
        task: {
          script,
          name: `lua/${this.id}/main.lua`,
          args: checked,
          env,
          memoryBytes: limits.memory_mb * 1_048_576,
          maxOutputBytes: limits.max_output_bytes,
          modules: ['http', 'fs', 'tools', 'state'],
        },
        runMs: limits.timeout_seconds * 1_000,
        waitMs: limits.wait_seconds * 1_000,
        host: luaHost({
          tool: this.id,
          home,
          manifest,
          state,
          fetch,
          signal: ended.signal,
          callTool: (name, given, signal) => {
            if (depth + 1 > maxDepth) throw new Error(`scripts may call one another ${maxDepth} times at most`);
            return callTool(name, given, { tool: this.id, depth: depth + 1, signal, requestId: call.requestId });
          },
        }),
        onPrint: (line) => onLog?.(line),
        cancellation: call.cancellation,
        isNested: depth > 0,
      });
      return toToolResult(result);
    } catch (thrown) {
      if (!(thrown instanceof LunaError) || thrown.code !== 'tool_failed') throw thrown;
      return { content: [{ type: 'text', text: thrown.message }], isError: true };
    } finally {
      ended.abort();
    }
  }

  async close(): Promise<void> {
    this.#version = undefined;
    this.#health = { status: 'stopped' };
  }

  async #read(): Promise<Version> {
    const { folder } = this.#options;
    const [manifestText, script] = await Promise.all(['mcp_tool.json', 'main.lua'].map((name) => textOf(folder, name)));
    const manifest = parseLuaManifest(manifestText ?? '', join(folder, 'mcp_tool.json'));
    await assertCompiles(this.#options.pool, script ?? '', `lua/${this.id}/main.lua`);
    const inputSchema = inputSchemaOf(manifest);
    const tool: Tool = {
      name: this.id,
      ...(manifest.title !== undefined && { title: manifest.title }),
      description: manifest.description,
      inputSchema,
      ...(manifest.annotations && { annotations: manifest.annotations }),
    };
    return { manifest, script: script ?? '', tool, check: argumentCheck(inputSchema) };
  }
}

async function textOf(folder: string, name: string): Promise<string> {
  try {
    return withoutMark(await readFile(join(folder, name), 'utf8'));
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT')
      throw new LunaError('extension_invalid', `${join(folder, name)} is missing.`, { cause: thrown });
    throw thrown;
  }
}

/** Reads a script without running it; a mistake is told with file and line. */
async function assertCompiles(pool: LuaPool, script: string, name: string): Promise<void> {
  if (script.startsWith('\u001b')) throw new LunaError('extension_invalid', `${name} is not text.`);
  const task = {
    script: `do return end\n${script}`,
    name,
    args: {},
    env: {},
    memoryBytes: 64 * 1_048_576,
    maxOutputBytes: 1,
    modules: [],
  };
  const nobody = async () => undefined;
  try {
    await pool.run({ task, runMs: 5_000, waitMs: 1, host: nobody, onPrint: () => undefined });
  } catch (thrown) {
    // One line was put in front.
    const message = messageOf(thrown).replace(/:(\d+):/, (_all, line) => `:${Number(line) - 1}:`);
    throw new LunaError('extension_invalid', message, { cause: thrown });
  }
}

function depthOf({ meta }: SourceCall): number {
  const depth = meta?.[luaDepthKey];
  return typeof depth === 'number' && Number.isInteger(depth) && depth > 0 ? depth : 0;
}

function pick(values: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
}
