import { LunaError } from '../errors/index.ts';
import {
  argumentCheck,
  type Caller,
  type RegisteredTool,
  resultReaderName,
  type Selection,
  type ToolArguments,
  type ToolPipeline,
  type ToolProgress,
  type ToolRegistry,
  type ToolResult,
} from '../tools/index.ts';
import type { AgentTool } from './agent.ts';

export interface ToolSetOptions {
  readonly registry: ToolRegistry;
  readonly pipeline: ToolPipeline;
  readonly caller: Caller;
  /** What may be called. Each call carries it to the pipeline. */
  readonly selection: Selection;
  /** Whether people want a tool run without being asked. */
  readonly isPassthrough: (tool: RegisteredTool) => boolean;
  readonly maxArgumentBytes: number;
  readonly signal: AbortSignal;
  readonly onProgress: (tool: string, progress: ToolProgress) => void;
}

/** The tools of one turn: under names that models take, checked before they are called, and called by the pipeline alone. */
export class ToolSet {
  readonly tools: readonly AgentTool[];
  /** What sources say of their tools, each once. */
  readonly systemPrompts: readonly string[];
  readonly #options: ToolSetOptions;
  readonly #registered: ReadonlyMap<string, RegisteredTool>;

  /** `reserved`: names that the client's own tools have. */
  constructor(options: ToolSetOptions, reserved: ReadonlySet<string> = new Set()) {
    this.#options = options;
    const selected = [...options.registry.tools().values()].filter((tool) => options.selection(tool));
    this.#registered = underModelNames(selected, reserved);
    this.tools = [...this.#registered].map(([name, registered]) => ({
      name,
      description: registered.tool.description ?? registered.tool.title ?? '',
      parameters: registered.tool.inputSchema,
      passthrough: options.isPassthrough(registered),
    }));
    const prompts = selected.flatMap(({ source }) => source.systemPrompt ?? []);
    this.systemPrompts = [...new Set(prompts)];
  }

  /** See `AgentTurn.call`. */
  async call(name: string, given: ToolArguments | string): Promise<ToolResult> {
    const { pipeline, caller, selection, signal, onProgress } = this.#options;
    const registered = this.#registered.get(name);
    // A name of which nothing is known goes to the pipeline as it is: its refusal is the one that everybody gets.
    const args = this.#parse(given);
    const checked = registered ? checkOf(registered)(args) : args;
    return pipeline.call({
      name: registered?.name ?? name,
      args: checked,
      caller,
      selection,
      signal,
      onProgress: (progress) => onProgress(name, progress),
    });
  }

  #parse(given: ToolArguments | string): ToolArguments {
    const { maxArgumentBytes } = this.#options;
    const text = typeof given === 'string' ? given : JSON.stringify(given);
    const bytes = Buffer.byteLength(text);
    if (bytes > maxArgumentBytes)
      throw new LunaError(
        'too_large',
        `The arguments have ${bytes} bytes; at most ${maxArgumentBytes} are taken. Send less.`,
      );
    if (typeof given !== 'string') return given;
    // Models send nothing at all where there is nothing to say.
    const parsed = given.trim() === '' ? {} : parseJson(given);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      throw new LunaError('invalid_input', 'The arguments must be a JSON object.');
    return parsed as ToolArguments;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : '';
    throw new LunaError('invalid_input', `The arguments are not valid JSON: ${why}`, { cause: thrown });
  }
}

/** Compiled once for each version of a tool, and forgotten with it. */
const checks = new WeakMap<object, (args: ToolArguments) => ToolArguments>();

function checkOf({ tool }: RegisteredTool): (args: ToolArguments) => ToolArguments {
  const known = checks.get(tool.inputSchema);
  if (known) return known;
  const strict = argumentCheck(tool.inputSchema);
  const check = (args: ToolArguments) => {
    try {
      return strict(args);
    } catch (thrown) {
      // A schema of which nothing can be made is the tool's own affair; it checks for itself.
      if (thrown instanceof LunaError && thrown.code === 'extension_invalid') return args;
      throw thrown;
    }
  };
  checks.set(tool.inputSchema, check);
  return check;
}

/** Models take letters, digits, "_" and "-" in names; what else a name has becomes "_". */
function underModelNames(
  tools: readonly RegisteredTool[],
  reserved: ReadonlySet<string>,
): ReadonlyMap<string, RegisteredTool> {
  const named = new Map<string, RegisteredTool>();
  for (const tool of tools) {
    const plain = tool.name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
    // The client's own tool of this name is meant in its request.
    if (reserved.has(plain)) continue;
    let name = plain;
    for (let number = 2; named.has(name); number++) name = `${plain.slice(0, 60)}_${number}`;
    named.set(name, tool);
  }
  return named;
}

/** A selection, and with it the tool that reads the rest of results that were cut. Others that Luna brings are not meant. */
export function withResultReader(selection: Selection): Selection {
  return (tool) => (tool.source.kind === 'builtin' ? tool.tool.name === resultReaderName : selection(tool));
}
