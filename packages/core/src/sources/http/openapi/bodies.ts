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
      write: (value) => kind.write(value, bare(type), schema),
    };
  }
  return undefined;
}

interface BodyKind {
  readonly fits: (type: string) => boolean;
  readonly schema?: (schema: unknown, schemas: SchemaCollector) => JsonSchema | undefined;
  readonly write: (value: unknown, type: string, schema: unknown) => { type: string; content: string | Uint8Array };
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
    schema: (schema, schemas) => withFiles(schemas.convert(schema ?? {})),
    write: (value, _type, schema) => multipart(value, schema),
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
      content: Buffer.from(String(value), 'base64'),
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
function withFiles(schema: JsonSchema): JsonSchema {
  if (!isObject(schema.properties)) return schema;
  const properties = Object.entries(schema.properties).map(([name, one]) => [
    name,
    isFile(one)
      ? { ...one, contentEncoding: 'base64', description: `${one.description ?? 'A file'}, in base64.` }
      : one,
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

function multipart(value: unknown, schema: unknown): { type: string; content: Uint8Array } {
  const boundary = `luna-${crypto.randomUUID()}`;
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  const parts: Buffer[] = [];
  for (const [name, one] of Object.entries(isObject(value) ? value : {})) {
    for (const item of [one].flat()) {
      const file = isFile(properties[name]);
      const content = file
        ? Buffer.from(String(item), 'base64')
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

function isFile(schema: unknown): schema is JsonObject {
  return isObject(schema) && schema.type === 'string' && ['binary', 'byte', 'base64'].includes(String(schema.format));
}
