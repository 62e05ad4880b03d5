import { pathToFileURL } from 'node:url';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { messageOf } from '../../errors/index.ts';
import type { JsonSchema, Tool, ToolContext, ToolExample, ToolSchema } from '../../tools/index.ts';
import { describeImportError } from './error-place.ts';
import { describeWithExamples } from './tool-host.ts';

/** Runs in the worker of an extension: imports tool files and makes tools of what they export. */

/** Checks arguments and returns them as the handler gets them (with defaults), or what is wrong with them. */
type Check = (args: unknown) => Promise<{ value: unknown } | { wrong: string }>;

/** A tool that is ready to be called. */
export interface LoadedTool {
  readonly tool: Tool;
  readonly examples: readonly ToolExample[];
  readonly check: Check;
  readonly handler: (args: unknown, context: ToolContext) => unknown;
}

/** Imports a tool file. Throws an error whose message names the file and, where known, the line. */
export async function loadToolFile(
  file: string,
  folder: string,
): Promise<{ tools: LoadedTool[]; systemPrompt?: string }> {
  let exported: Record<string, unknown>;
  try {
    exported = await import(pathToFileURL(file).href);
  } catch (thrown) {
    throw new Error(describeImportError(thrown, file, folder), { cause: thrown });
  }
  const { TOOLS: definitions, SYSTEM_PROMPT: prompt } = exported;
  if (!Array.isArray(definitions)) throw new Error(`${file}: export an array named TOOLS.`);
  const tools = definitions.map((definition, index) => loadTool(definition, `${file}: TOOLS[${index}]`));
  return typeof prompt === 'string' ? { tools, systemPrompt: prompt } : { tools };
}

/** What the schema of the arguments is called elsewhere. */
const otherNames = ['inputSchema', 'input_schema', 'parameters', 'schema'];

function loadTool(definition: unknown, where: string): LoadedTool {
  if (!isObject(definition)) throw new Error(`${where} is not an object.`);
  const { name, description, handler, input, output, examples, title, annotations } = definition;
  if (typeof name !== 'string' || name === '') throw new Error(`${where} has no "name".`);
  const of = `${where} ("${name}")`;
  if (typeof description !== 'string') throw new Error(`${of} has no "description".`);
  if (typeof handler !== 'function') throw new Error(`${of} has no "handler" function.`);
  const other = input === undefined && otherNames.find((one) => isObject(definition[one]));
  if (other) console.warn(`${of} has "${other}", which says nothing to Luna: call it "input".`);
  const shown = examplesOf(examples);
  const tool: Tool = {
    name,
    ...(typeof title === 'string' && { title }),
    description: describeWithExamples(description, shown),
    inputSchema: input === undefined ? { type: 'object' } : jsonSchemaOf(input, 'input', of),
    ...(output !== undefined && { outputSchema: jsonSchemaOf(output, 'output', of) }),
    ...(isObject(annotations) && { annotations }),
  };
  const call: LoadedTool['handler'] = (args, context) => handler.call(definition, args, context);
  return { tool, examples: shown, handler: call, check: checkOf(input, of) };
}

function jsonSchemaOf(schema: unknown, direction: 'input' | 'output', of: string): JsonSchema {
  if (isToolSchema(schema)) {
    return asObjectSchema(convert(schema, direction, of), direction, of);
  }
  if (!isObject(schema)) throw new Error(`${of}: "${direction}" is neither a schema nor a JSON Schema object.`);
  return asObjectSchema(schema, direction, of);
}

function convert(schema: ToolSchema, direction: 'input' | 'output', of: string): Record<string, unknown> {
  try {
    const { $schema: _dialect, ...rest } = schema['~standard'].jsonSchema[direction]({ target: 'draft-2020-12' });
    return rest;
  } catch (thrown) {
    throw new Error(`${of}: "${direction}" cannot be told to clients: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function asObjectSchema(schema: Record<string, unknown>, direction: string, of: string): JsonSchema {
  if (schema.type !== undefined && schema.type !== 'object') {
    throw new Error(`${of}: the root of "${direction}" must describe an object, not ${JSON.stringify(schema.type)}.`);
  }
  return { type: 'object', ...schema };
}

function checkOf(input: unknown, of: string): Check {
  if (input === undefined) return async (args) => ({ value: args });
  if (isToolSchema(input)) {
    return async (args) => {
      const outcome = await input['~standard'].validate(args);
      return outcome.issues ? { wrong: outcome.issues.map(describeIssue).join('; ') } : { value: outcome.value };
    };
  }
  const validate = compile(input, of);
  return async (args) => {
    const value = structuredClone(args);
    return validate(value) ? { value } : { wrong: ajv.errorsText(validate.errors, { dataVar: 'arguments' }) };
  };
}

const ajv = new Ajv2020({ strict: false, useDefaults: true, allErrors: true, validateFormats: false });

function compile(schema: unknown, of: string): ValidateFunction {
  try {
    return ajv.compile(isObject(schema) ? schema : {});
  } catch (thrown) {
    throw new Error(`${of}: the input schema is not valid JSON Schema: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function describeIssue(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

/** Examples as JSON: they leave the worker. */
function examplesOf(examples: unknown): ToolExample[] {
  if (!Array.isArray(examples)) return [];
  return examples.filter(isObject).map(({ prompt, args, response }) => ({
    prompt: String(prompt),
    ...(isObject(args) && { args: asJson(args) }),
    ...(response !== undefined && { response: asJson(response) }),
  }));
}

function asJson<Value>(value: Value): Value {
  const text = JSON.stringify(value);
  return text === undefined ? value : JSON.parse(text);
}

function isToolSchema(value: unknown): value is ToolSchema {
  if (typeof value !== 'object' || value === null || !('~standard' in value)) return false;
  const standard = value['~standard'];
  return isObject(standard) && typeof standard.validate === 'function' && isObject(standard.jsonSchema);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
