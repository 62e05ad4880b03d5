import { z } from 'zod';
import { luaPermissionsSchema, parseJsonText } from '../../config/index.ts';
import { LunaError } from '../../errors/index.ts';
import type { JsonSchema } from '../../tools/index.ts';

/** Names that a parameter cannot have: they are something else in a script. */
const reserved = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while assert error ipairs next pairs pcall print select tonumber tostring type xpcall rawequal rawget rawlen rawset getmetatable setmetatable string table math utf8 coroutine state http fs tools env null _G _VERSION'.split(
    ' ',
  ),
);

const parameterSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'must be a name: letters, digits and "_"')
      .refine((name) => !reserved.has(name), 'is a word of Lua or of Luna; use another'),
    type: z.enum(['string', 'number', 'integer', 'boolean', 'array', 'object']).default('string'),
    description: z.string().optional(),
    optional: z.boolean().default(false),
    default: z.unknown().optional(),
    enum: z.array(z.unknown()).min(1).optional(),
  })
  .refine((given) => given.default === undefined || fits(given.default, given.type), {
    path: ['default'],
    error: 'is not of the type',
  })
  .refine(({ default: standard, enum: values }) => standard === undefined || !values || isAmong(standard, values), {
    path: ['default'],
    error: 'is none of the enum',
  });

type Parameter = z.infer<typeof parameterSchema>;

export const luaLimitsSchema = z.strictObject({
  timeout_seconds: z.number().positive().max(300).default(5).describe('Of running; waiting for the network is extra.'),
  wait_seconds: z.number().positive().max(3_600).default(60).describe('Of waiting for http, fs, tools and state.'),
  memory_mb: z.number().min(1).max(1_024).default(64),
  max_output_bytes: z
    .int()
    .min(1)
    .max(67_108_864)
    .default(1_048_576)
    .describe('Of the result, and of what is printed.'),
  max_response_bytes: z.int().min(1).max(67_108_864).default(1_048_576).describe('Of one answer over HTTP.'),
});

const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  title: z.string().optional(),
  description: z.string().min(1),
  parameters: z.array(parameterSchema).default([]),
  permissions: luaPermissionsSchema.prefault({}),
  limits: luaLimitsSchema.prefault({}),
  annotations: z.looseObject({}).optional(),
});

/** `mcp_tool.json` of a Lua tool. */
export type LuaManifest = z.infer<typeof manifestSchema>;
export type LuaLimits = z.infer<typeof luaLimitsSchema>;

/** Reads the text of `mcp_tool.json`. Throws `extension_invalid` with file, line and column. */
export function parseLuaManifest(text: string, file: string): LuaManifest {
  try {
    const manifest = parseJsonText(text, manifestSchema, file);
    const names = manifest.parameters.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new LunaError('config_invalid', `${file}: the parameter "${twice}" is there twice.`);
    return manifest;
  } catch (thrown) {
    if (thrown instanceof LunaError) throw new LunaError('extension_invalid', thrown.message, { cause: thrown });
    throw thrown;
  }
}

/** The parameters as a JSON Schema. */
export function inputSchemaOf({ parameters }: LuaManifest): JsonSchema {
  const properties = parameters.map((parameter) => [parameter.name, schemaOf(parameter)]);
  const required = parameters
    .filter((parameter) => !parameter.optional && parameter.default === undefined)
    .map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function schemaOf({ type, description, enum: values, default: standard }: Omit<Parameter, 'name'>): JsonSchema {
  return {
    type,
    ...(description !== undefined && { description }),
    ...(values && { enum: values }),
    ...(standard !== undefined && { default: standard }),
  };
}

function fits(value: unknown, type: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object'): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

function isAmong(value: unknown, values: readonly unknown[]): boolean {
  return values.some((one) => JSON.stringify(one) === JSON.stringify(value));
}
