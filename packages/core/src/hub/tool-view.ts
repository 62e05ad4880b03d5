import { createHash } from 'node:crypto';
import { LunaError } from '../errors/index.ts';
import type { JsonSchema, RegisteredTool, Tool, ToolArguments } from '../tools/index.ts';

/** How one argument of a tool is shown and filled in. */
export interface ArgumentOverride {
  readonly description?: string | undefined;
  /** Used when the caller gives none. */
  readonly default?: unknown;
  /** Always used; callers neither see nor give the argument. */
  readonly fixed?: unknown;
  /** Callers neither see nor give the argument. */
  readonly hidden?: boolean | undefined;
}

/** How a hub shows a tool otherwise than its source does. */
export interface ToolOverride {
  readonly name?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly arguments?: Readonly<Record<string, ArgumentOverride>> | undefined;
}

/** What a hub changes of tools. */
export interface ToolOverrides {
  /** The override of a tool, where there is one. */
  readonly of: (tool: RegisteredTool) => ToolOverride | undefined;
  /** Longer names are shortened, so that they stay unique and the same. */
  readonly maxNameLength?: number | undefined;
}

/** A tool as the clients of a hub see it. */
export interface ToolView {
  readonly registered: RegisteredTool;
  /** With the name that clients use. */
  readonly tool: Tool;
  /** What the source gets for the arguments that a client sends; as they are where nothing is to be done. */
  readonly argumentsFor: ((args: ToolArguments) => ToolArguments) | undefined;
}

/** A tool as it is shown, by the rules of a hub. */
export function viewOf(registered: RegisteredTool, overrides: ToolOverrides): ToolView {
  const override = overrides.of(registered);
  const { maxNameLength } = overrides;
  const name = override?.name ?? shortName(registered.name, maxNameLength);
  const tool: Tool = { ...registered.tool, name };
  if (name !== registered.name && override?.title === undefined && tool.title === undefined)
    Object.assign(tool, { title: registered.name });
  if (!override) return { registered, tool, argumentsFor: undefined };
  const changed = {
    ...(override.title !== undefined && { title: override.title }),
    ...(override.description !== undefined && { description: override.description }),
    ...(override.arguments && { inputSchema: shownSchema(tool.inputSchema, override.arguments) }),
  };
  return { registered, tool: { ...tool, ...changed }, argumentsFor: fillerOf(name, override.arguments) };
}

/** A name of at most so many characters; names that differ stay different by a digest of the whole. */
export function shortName(name: string, maxLength = Number.POSITIVE_INFINITY): string {
  if (name.length <= maxLength) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, maxLength - digest.length - 1)}_${digest}`;
}

function shownSchema(schema: JsonSchema, overrides: Readonly<Record<string, ArgumentOverride>>): JsonSchema {
  const properties: Record<string, unknown> = isObject(schema.properties) ? { ...schema.properties } : {};
  const filled = new Set<unknown>();
  for (const [name, override] of Object.entries(overrides)) {
    if (isAway(override)) delete properties[name];
    else if (Object.hasOwn(properties, name) && isObject(properties[name])) {
      const { description, default: standard } = override;
      properties[name] = {
        ...properties[name],
        ...(description !== undefined && { description }),
        ...(standard !== undefined && { default: standard }),
      };
    }
    if (isAway(override) || override.default !== undefined) filled.add(name);
  }
  const required = Array.isArray(schema.required) ? schema.required.filter((name) => !filled.has(name)) : undefined;
  const { required: _former, ...rest } = schema;
  return { ...rest, properties, ...(required && required.length > 0 && { required }) };
}

function fillerOf(
  tool: string,
  overrides: Readonly<Record<string, ArgumentOverride>> | undefined,
): ToolView['argumentsFor'] {
  const entries = Object.entries(overrides ?? {});
  if (entries.every(([, override]) => !isAway(override) && override.default === undefined)) return undefined;
  return (args) => {
    const filled: Record<string, unknown> = { ...args };
    for (const [name, override] of entries) {
      if (isAway(override) && Object.hasOwn(args, name)) {
        throw new LunaError('invalid_input', `The tool "${tool}" takes no argument "${name}".`);
      }
      const value = override.fixed ?? override.default;
      if (value !== undefined && !Object.hasOwn(args, name)) filled[name] = value;
    }
    return filled;
  };
}

function isAway({ fixed, hidden }: ArgumentOverride): boolean {
  return hidden === true || fixed !== undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
