import { LunaError } from '../../../errors/index.ts';
import type { JsonSchema } from '../../../tools/index.ts';
import { isObject, type JsonObject } from './document.ts';
import type { SchemaCollector } from './schemas.ts';

/** How the body of an operation is described and written. */
export interface OperationBody {
  readonly schema: JsonSchema;
  readonly required: boolean;
  readonly write: (value: unknown) => { readonly type: string; readonly content: string | Uint8Array };
}

/** The body of an operation in the first of its types that Luna can write; undefined where there is none. */
export function bodyOf(requestBody: unknown, schemas: SchemaCollector): OperationBody | undefined {
  if (!isObject(requestBody) || !isObject(requestBody.content)) return undefined;
  const types = Object.entries(requestBody.content).filter((entry): entry is [string, JsonObject] =>
    isObject(entry[1]),
  );
  for (const kind of kinds) {
    const found = types.find(([type]) => kind.fits(bare(type)));
    if (!found) continue;
    const [type, { schema }] = found;
    const { description } = requestBody;
    const shown = kind.schema?.(schema, schemas) ?? schemas.convert(schema ?? {});
    return {
      schema: typeof description === 'string' ? { description, ...shown } : shown,
      required: requestBody.required === true,
      write: (value) => kind.write(value, bare(type), { schema, schemas }),
    };
  }
  return undefined;
}

interface BodyKind {
  readonly fits: (type: string) => boolean;
  readonly schema?: (schema: unknown, schemas: SchemaCollector) => JsonSchema | undefined;
  readonly write: (value: unknown, type: string, of: Described) => { type: string; content: string | Uint8Array };
}

/** What the document says of a body. */
interface Described {
  readonly schema: unknown;
  readonly schemas: SchemaCollector;
}

/** In the order in which they are preferred. */
const kinds: readonly BodyKind[] = [
  {
    fits: (type) => type === 'application/json' || type.endsWith('+json') || type === '*/*' || type === 'application/*',
    write: (value, type) => ({ type: type.includes('*') ? 'application/json' : type, content: JSON.stringify(value) }),
  },
  {
    fits: (type) => type === 'application/x-www-form-urlencoded',
    write: (value, type) => ({ type, content: formText(value) }),
  },
  {
    fits: (type) => type === 'multipart/form-data',
    schema: (schema, schemas) => withFiles({ schema, schemas }),
    write: (value, _type, of) => multipart(value, fileNames(of)),
  },
  {
    fits: (type) => type.startsWith('text/') || type.endsWith('xml'),
    schema: () => ({ type: 'string' }),
    write: (value, type) => ({ type, content: String(value) }),
  },
  {
    fits: () => true,
    schema: () => ({ type: 'string', contentEncoding: 'base64', description: 'The bytes, in base64.' }),
    write: (value, type) => ({
      type: type.includes('*') ? 'application/octet-stream' : type,
      content: bytesOf(value, 'The body'),
    }),
  },
];

function bare(type: string): string {
  return (type.split(';')[0] ?? '').trim().toLowerCase();
}

/** Lists give a pair for each value, objects one with brackets for each key. */
function formText(value: unknown): string {
  const form = new URLSearchParams();
  const add = (name: string, one: unknown): void => {
    if (one === undefined || one === null) return;
    if (Array.isArray(one)) for (const item of one) add(name, item);
    else if (isObject(one)) for (const [key, inner] of Object.entries(one)) add(`${name}[${key}]`, inner);
    else form.append(name, String(one));
  };
  for (const [name, one] of Object.entries(isObject(value) ? value : {})) add(name, one);
  return form.toString();
}

/** Files come as base64: there is no other way for bytes in JSON. */
function withFiles(of: Described): JsonSchema {
  const schema = of.schemas.convert(of.schemas.resolved(of.schema) ?? {});
  if (!isObject(schema.properties)) return schema;
  const names = fileNames(of);
  const properties = Object.entries(schema.properties).map(([name, one]) => [
    name,
    names.has(name) && isObject(one) ? asBase64(one) : one,
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

function asBase64(schema: JsonObject): JsonObject {
  const isList = schema.type === 'array';
  return {
    ...schema,
    ...(schema.type === 'string' && { contentEncoding: 'base64' }),
    description: `${schema.description ?? (isList ? 'Files' : 'A file')}, ${isList ? 'each ' : ''}in base64.`,
  };
}

/** The names of the parts that are files, or lists of files. */
function fileNames({ schema, schemas }: Described): ReadonlySet<string> {
  const whole = schemas.resolved(schema);
  const properties = isObject(whole) && isObject(whole.properties) ? whole.properties : {};
  return new Set(Object.keys(properties).filter((name) => isFile(properties[name], schemas)));
}

function bytesOf(value: unknown, what: string): Buffer {
  const text = String(value).replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new LunaError('invalid_input', `${what} is not in base64.`);
  return Buffer.from(text, 'base64');
}

function multipart(value: unknown, files: ReadonlySet<string>): { type: string; content: Uint8Array } {
  const boundary = `luna-${crypto.randomUUID()}`;
  const parts: Buffer[] = [];
  for (const [name, one] of Object.entries(isObject(value) ? value : {})) {
    for (const item of [one].flat()) {
      if (item === null || item === undefined) continue;
      const file = files.has(name);
      const content = file
        ? bytesOf(item, `"${name}"`)
        : Buffer.from(isObject(item) ? JSON.stringify(item) : String(item));
      const safe = name.replace(/["\r\n]/g, '_');
      const disposition = `form-data; name="${safe}"${file ? `; filename="${safe}"` : ''}`;
      const type = file
        ? 'Content-Type: application/octet-stream\r\n'
        : isObject(item)
          ? 'Content-Type: application/json\r\n'
          : '';
      parts.push(
        Buffer.from(`--${boundary}\r\nContent-Disposition: ${disposition}\r\n${type}\r\n`),
        content,
        Buffer.from('\r\n'),
      );
    }
  }
  if (parts.length === 0) throw new LunaError('invalid_input', 'The body has no part.');
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { type: `multipart/form-data; boundary=${boundary}`, content: Buffer.concat(parts) };
}

/** `levels`: how deep it is looked; schemas may hold themselves. */
function isFile(given: unknown, schemas: SchemaCollector, levels = 4): boolean {
  const schema = schemas.resolved(given);
  if (!isObject(schema) || levels === 0) return false;
  const either = [schema.anyOf, schema.oneOf].find(Array.isArray);
  if (either) return either.some((one: unknown) => isFile(one, schemas, levels - 1));
  const types = [schema.type].flat();
  if (types.includes('array')) return isFile(schema.items, schemas, levels - 1);
  const isBytes = ['binary', 'byte', 'base64'].includes(String(schema.format)) || schema.contentMediaType !== undefined;
  return types.includes('string') && isBytes;
}
