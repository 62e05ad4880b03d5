import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type LuaPermissions, sourceName, writeFileDurably } from '../../config/index.ts';
import { LunaError, systemCodeOf } from '../../errors/index.ts';
import {
  BuiltInSource,
  type JsonSchema,
  type SourceCall,
  type SourceHealth,
  type Tool,
  type ToolArguments,
  type ToolResult,
  toToolResult,
} from '../../tools/index.ts';
import { type LuaManifest, parseLuaManifest } from './manifest.ts';

export interface LuaAuthoringOptions {
  /** The folder with a folder for each tool. */
  readonly folder: string;
  /** What a tool that is written may be permitted at most. */
  readonly permitted: () => LuaPermissions;
  /** Settles when what was written is served, or known to be broken. */
  readonly settled: (tool: string) => Promise<SourceHealth | undefined>;
  readonly callTool: (name: string, args: ToolArguments, call: SourceCall) => Promise<ToolResult>;
}

/** The names of the tools by which agents write tools. */
export const luaAuthoringTools = ['lua_tool_write', 'lua_tool_read', 'lua_tool_delete', 'lua_tool_test'] as const;

const name = sourceName.describe('The name of the tool: letters, digits, ".", "_" and "-".');
const inputs = {
  lua_tool_write: z.object({
    name,
    manifest: z
      .record(z.string(), z.unknown())
      .describe(
        'What mcp_tool.json holds: description, parameters (name, type, description, optional, default), permissions, limits.',
      ),
    script: z.string().max(1_000_000).describe('Lua 5.4. Parameters are globals; what it returns is the result.'),
  }),
  lua_tool_read: z.object({ name }),
  lua_tool_delete: z.object({ name }),
  lua_tool_test: z.object({ name, args: z.record(z.string(), z.unknown()).default({}) }),
};
const descriptions: Record<keyof typeof inputs, string> = {
  lua_tool_write: 'Writes a tool in Lua, or replaces one. It can be called as soon as this has answered.',
  lua_tool_read: 'Gives back the manifest and the script of a tool in Lua.',
  lua_tool_delete: 'Deletes a tool in Lua. What it has kept stays.',
  lua_tool_test: 'Calls a tool in Lua with arguments and gives back what it answers.',
};

/** Luna's own tools by which agents write tools, for hubs that allow it. */
export class LuaAuthoring extends BuiltInSource {
  override readonly id = 'luna:lua';
  readonly #options: LuaAuthoringOptions;
  readonly #tools: readonly Tool[] = luaAuthoringTools.map((tool) => ({
    name: tool,
    description: descriptions[tool],
    inputSchema: z.toJSONSchema(inputs[tool], { io: 'input' }) as JsonSchema,
    annotations: { readOnlyHint: tool === 'lua_tool_read', destructiveHint: tool === 'lua_tool_delete' },
  }));

  constructor(options: LuaAuthoringOptions) {
    super();
    this.#options = options;
  }

  override list(): readonly Tool[] {
    return this.#tools;
  }

  override async call(tool: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    if (tool === 'lua_tool_write') return toToolResult(await this.#write(parse(inputs.lua_tool_write, args)));
    if (tool === 'lua_tool_read') return toToolResult(await this.#read(parse(inputs.lua_tool_read, args).name));
    if (tool === 'lua_tool_delete') return toToolResult(await this.#delete(parse(inputs.lua_tool_delete, args).name));
    const wanted = parse(inputs.lua_tool_test, args);
    await this.#read(wanted.name);
    return this.#options.callTool(wanted.name, wanted.args, call);
  }

  async #write({ name: tool, manifest, script }: z.infer<(typeof inputs)['lua_tool_write']>): Promise<unknown> {
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    assertPermitted(parseLuaManifest(text, 'mcp_tool.json'), this.#options.permitted());
    const folder = join(this.#options.folder, tool);
    await mkdir(folder, { recursive: true });
    await writeFileDurably(join(folder, 'main.lua'), script, 0o644);
    await writeFileDurably(join(folder, 'mcp_tool.json'), text, 0o644);
    const health = await this.#options.settled(tool);
    return health?.status === 'ready' ? { tool, status: 'ready' } : [false, health?.reason ?? 'It was not taken up.'];
  }

  async #read(tool: string): Promise<{ manifest: unknown; script: string }> {
    const folder = join(this.#options.folder, tool);
    try {
      const [manifest, script] = await Promise.all(
        ['mcp_tool.json', 'main.lua'].map((file) => readFile(join(folder, file), 'utf8')),
      );
      return { manifest: parseLuaManifest(manifest ?? '', 'mcp_tool.json'), script: script ?? '' };
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'ENOENT') throw thrown;
      throw new LunaError('not_found', `There is no tool "${tool}" in Lua.`, { cause: thrown });
    }
  }

  async #delete(tool: string): Promise<unknown> {
    await this.#read(tool);
    await rm(join(this.#options.folder, tool), { recursive: true });
    await this.#options.settled(tool);
    return { tool, status: 'deleted' };
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, args: ToolArguments): z.infer<Schema> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LunaError('invalid_input', `The argument "${issue?.path.join('.')}" is not right: ${issue?.message}.`);
}

/** An agent gives a tool no more than its owner gives to agents. */
function assertPermitted({ permissions: asked }: LuaManifest, permitted: LuaPermissions): void {
  const lists: [what: string, asked: readonly string[], permitted: readonly string[]][] = [
    ['network.allowed_hosts', asked.network.allowed_hosts, permitted.network.allowed_hosts],
    ['filesystem.read', asked.filesystem.read, permitted.filesystem.read],
    ['filesystem.write', asked.filesystem.write, permitted.filesystem.write],
    ['tools', asked.tools, permitted.tools],
    ['env', asked.env, permitted.env],
  ];
  for (const [what, wanted, allowed] of lists) {
    const tooMuch = wanted.find((one) => !allowed.includes(one));
    if (tooMuch === undefined) continue;
    throw new LunaError(
      'forbidden',
      `Tools that are written here may not have "${tooMuch}" in permissions.${what}. The owner of Luna can allow it in luna.lua_authoring_permissions.`,
    );
  }
}
