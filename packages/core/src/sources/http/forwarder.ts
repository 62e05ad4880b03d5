import { LunaError } from '../../errors/index.ts';
import type { JsonSchema, ToolArguments } from '../../tools/index.ts';
import type { DeclaredTool, ForwarderFile } from './definition.ts';
import { type HttpTool, joinUrl, settingsOf } from './http-tool.ts';

/** The tools that a file declares one by one. */
export function declaredTools(file: ForwarderFile): HttpTool[] {
  return file.tools.map((declared) => ({
    tool: {
      name: declared.name,
      ...(declared.title !== undefined && { title: declared.title }),
      description: declared.description,
      inputSchema: inputSchemaOf(declared),
      annotations: {
        readOnlyHint: declared.read_only ?? ['GET', 'HEAD'].includes(declared.method),
        openWorldHint: true,
      },
    },
    settings: settingsOf(file, declared),
    pick: declared.response?.pick,
    plan: (args, secret) => planOf(file, declared, args, secret),
  }));
}

function inputSchemaOf({ parameters }: DeclaredTool): JsonSchema {
  const properties = Object.entries(parameters).map(([name, { required: _required, ...schema }]) => [name, schema]);
  const required = Object.entries(parameters)
    .filter(([, one]) => one.required ?? one.default === undefined)
    .map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function planOf(file: ForwarderFile, declared: DeclaredTool, args: ToolArguments, secret: (text: string) => string) {
  const used = new Set<string>();
  const path = declared.path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    used.add(name);
    const value = textOf(args[name], name);
    if (value === '' || value === '.' || value === '..')
      throw new LunaError('invalid_input', `The argument "${name}" cannot be "${value}": it is a part of the path.`);
    return encodeURIComponent(value);
  });
  const url = joinUrl(file.base_url, path);
  const fill = (value: string | number | boolean) => filled(String(value), args, used);
  for (const [name, value] of Object.entries(declared.query ?? {})) {
    const text = fill(value);
    if (text !== undefined) url.searchParams.append(name, secret(text));
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...file.headers, ...declared.headers })) {
    const text = fill(value);
    if (text !== undefined) headers[name.toLowerCase()] = secret(text);
  }
  const body = bodyOf(declared, args, used);
  if (body?.type !== undefined) headers['content-type'] ??= body.type;
  // What has no place of its own goes where requests of this kind have their values.
  if (!body) {
    for (const [name, value] of Object.entries(args)) {
      if (!used.has(name)) for (const one of [value].flat()) url.searchParams.append(name, textOf(one, name));
    }
  }
  return { method: declared.method, url, headers, body: body?.content };
}

function bodyOf(
  { method, body }: DeclaredTool,
  args: ToolArguments,
  used: Set<string>,
): { type: string; content: string } | undefined {
  if (body && 'json' in body) {
    return { type: 'application/json', content: JSON.stringify(substituted(body.json, args, used)) };
  }
  if (body && 'form' in body) {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(body.form)) {
      const text = filled(String(value), args, used);
      if (text !== undefined) form.append(name, text);
    }
    return { type: 'application/x-www-form-urlencoded', content: form.toString() };
  }
  if (body) return { type: 'text/plain; charset=utf-8', content: filled(body.text, args, used) ?? '' };
  if (!['POST', 'PUT', 'PATCH'].includes(method)) return undefined;
  const rest = Object.fromEntries(Object.entries(args).filter(([name]) => !used.has(name)));
  return { type: 'application/json', content: JSON.stringify(rest) };
}

/** A text with the arguments put in; undefined when it is nothing but one that is not there. */
function filled(text: string, args: ToolArguments, used: Set<string>): string | undefined {
  const whole = /^\{(\w+)\}$/.exec(text)?.[1];
  if (whole !== undefined) {
    used.add(whole);
    return args[whole] === undefined ? undefined : textOf(args[whole], whole);
  }
  // `${NAME}` is a key of .env, and no argument.
  return text.replace(/(?<!\$)\{(\w+)\}/g, (_all, name: string) => {
    used.add(name);
    return args[name] === undefined ? '' : textOf(args[name], name);
  });
}

/** A value of JSON in which `"{name}"` is the argument itself, whatever its type. */
function substituted(value: unknown, args: ToolArguments, used: Set<string>): unknown {
  if (typeof value === 'string') {
    const whole = /^\{(\w+)\}$/.exec(value)?.[1];
    if (whole === undefined) return filled(value, args, used);
    used.add(whole);
    return args[whole];
  }
  if (Array.isArray(value)) return value.map((one) => substituted(one, args, used));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, substituted(one, args, used)]));
}

function textOf(value: unknown, name: string): string {
  if (value === undefined || value === null) throw new LunaError('invalid_input', `The argument "${name}" is missing.`);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
