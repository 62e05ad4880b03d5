import { LunaError } from '../../errors/index.ts';
import type { JsonSchema, ToolArguments } from '../../tools/index.ts';
import type { DeclaredTool, ForwarderFile } from './definition.ts';
import { type HttpTool, joinUrl, settingsOf } from './http-tool.ts';

/** A parameter in a path. */
const parameterMark = /\{(\w+)\}/g;

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
  const filling = new Filling(declared, args);
  const path = declared.path.replace(parameterMark, (_all, name: string) => {
    const value = textOf(filling.take(name), name);
    if (value === '' || value === '.' || value === '..')
      throw new LunaError('invalid_input', `The argument "${name}" cannot be "${value}": it is a part of the path.`);
    return encodeURIComponent(value);
  });
  const url = joinUrl(file.base_url, path);
  for (const [name, value] of Object.entries(declared.query ?? {})) {
    const text = filling.text(String(value), secret);
    if (text !== undefined) url.searchParams.append(name, text);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...file.headers, ...declared.headers })) {
    const text = filling.text(String(value), secret);
    if (text !== undefined) headers[name.toLowerCase()] = text;
  }
  const body = bodyOf(declared, filling);
  if (body?.type !== undefined) headers['content-type'] ??= body.type;
  // What has no place of its own goes where requests of this kind have their values.
  if (!body) {
    for (const [name, value] of filling.unused())
      for (const one of [value].flat()) url.searchParams.append(name, textOf(one, name));
  }
  return { method: declared.method, url, headers, body: body?.content };
}

function bodyOf({ method, body }: DeclaredTool, filling: Filling): { type: string; content: string } | undefined {
  if (body && 'json' in body) return { type: 'application/json', content: JSON.stringify(filling.json(body.json)) };
  if (body && 'form' in body) {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(body.form)) {
      const text = filling.text(String(value));
      if (text !== undefined) form.append(name, text);
    }
    return { type: 'application/x-www-form-urlencoded', content: form.toString() };
  }
  if (body) return { type: 'text/plain; charset=utf-8', content: filling.text(body.text) ?? '' };
  if (!['POST', 'PUT', 'PATCH'].includes(method)) return undefined;
  return { type: 'application/json', content: JSON.stringify(Object.fromEntries(filling.unused())) };
}

/** Puts the arguments of one call where the file names them. Braces around anything but a parameter stay as they are. */
class Filling {
  readonly #declared: DeclaredTool;
  readonly #args: ToolArguments;
  readonly #used = new Set<string>();

  constructor(declared: DeclaredTool, args: ToolArguments) {
    this.#declared = declared;
    this.#args = args;
  }

  take(name: string): unknown {
    this.#used.add(name);
    return this.#args[name];
  }

  unused(): [string, unknown][] {
    return Object.entries(this.#args).filter(([name]) => !this.#used.has(name));
  }

  /**
   * Undefined when the text is nothing but an argument that is not there. `secret` fills in `${NAME}` of the file: what
   * an argument says is never read for names of secrets, nor a secret for names of arguments.
   */
  text(text: string, secret: (mark: string) => string = (mark) => mark): string | undefined {
    const whole = this.#wholeName(text);
    if (whole !== undefined) {
      const value = this.take(whole);
      return value === undefined ? undefined : textOf(value, whole);
    }
    return text.replace(/\$\{[^}]*\}|\{(\w+)\}/g, (mark, name?: string) => {
      if (name === undefined) return secret(mark);
      if (!this.#isParameter(name)) return mark;
      const value = this.take(name);
      return value === undefined ? '' : textOf(value, name);
    });
  }

  /** A value of JSON in which `"{name}"` is the argument itself, whatever its type. */
  json(value: unknown): unknown {
    if (typeof value === 'string') {
      const whole = this.#wholeName(value);
      return whole === undefined ? this.text(value) : this.take(whole);
    }
    if (Array.isArray(value)) return value.map((one) => this.json(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.json(one)]));
  }

  #wholeName(text: string): string | undefined {
    const name = /^\{(\w+)\}$/.exec(text)?.[1];
    return name !== undefined && this.#isParameter(name) ? name : undefined;
  }

  #isParameter(name: string): boolean {
    return Object.hasOwn(this.#declared.parameters, name);
  }
}

function textOf(value: unknown, name: string): string {
  if (value === undefined || value === null) throw new LunaError('invalid_input', `The argument "${name}" is missing.`);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
