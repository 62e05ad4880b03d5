import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { LunaError } from '../../../errors/index.ts';
import type { JsonSchema, ToolArguments } from '../../../tools/index.ts';
import type { OpenApiFile } from '../definition.ts';
import { type HttpTool, joinUrl, type PlannedRequest, settingsOf } from '../http-tool.ts';
import { bodyOf, type OperationBody } from './bodies.ts';
import { isObject, type JsonObject, type OpenApiDocument, readDocument, resolved } from './document.ts';
import {
  headerValue,
  type OperationParameter,
  pathValue,
  type QueryPairs,
  queryPairs,
  queryText,
} from './parameters.ts';
import { SchemaCollector } from './schemas.ts';
import { type Credential, credentialsOf } from './security.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;
const maxNameLength = 64;
/** Luna does other things between so many operations of a long document. */
const operationsAtOnce = 25;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly item: JsonObject;
  readonly operation: JsonObject;
  readonly id: string | undefined;
}

/** The operations of an OpenAPI document as tools. Throws `extension_invalid` for a document that cannot be used. */
export async function openApiTools(file: OpenApiFile, from: string, dispatcher: Dispatcher): Promise<HttpTool[]> {
  const { document, address } = await readDocument(file.openapi, from, dispatcher);
  const operations = operationsOf(document).filter((operation) => isSelected(operation, file));
  if (operations.length === 0)
    throw new LunaError('extension_invalid', `${from}: no operation of ${file.openapi} is selected.`);
  const names = namesOf(operations);
  const tools: HttpTool[] = [];
  for (const [index, operation] of operations.entries()) {
    if (index % operationsAtOnce === 0) await nextTurn();
    tools.push(toolOf(operation, names[index] ?? '', { file, document, address }));
  }
  return tools;
}

function operationsOf(document: OpenApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, given]) => {
    const item = resolved(document, given);
    if (!isObject(item) || !path.startsWith('/')) return [];
    return methods.flatMap((method) => {
      const operation = item[method];
      if (!isObject(operation)) return [];
      const id = typeof operation.operationId === 'string' ? operation.operationId : undefined;
      return [{ method: method.toUpperCase(), path, item, operation, id }];
    });
  });
}

/** By operationId, `tag:NAME`, `/path` or `METHOD /path`, with `*` for any part. */
function isSelected({ method, path, operation, id }: Operation, { include, exclude }: OpenApiFile): boolean {
  const tags = Array.isArray(operation.tags) ? operation.tags.map(String) : [];
  const marks = [id ?? '', path, `${method} ${path}`, ...tags.map((tag) => `tag:${tag}`)];
  const isMeant = (pattern: string) => marks.some((mark) => globOf(pattern).test(mark));
  return (include === undefined || include.some(isMeant)) && !exclude.some(isMeant);
}

function globOf(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
}

/** The operationId, or the method and the path, made legal and short; a second one of a name gets a digest. */
function namesOf(operations: readonly Operation[]): string[] {
  const taken = new Set<string>();
  return operations.map(({ id, method, path }) => {
    const wanted = (id ?? `${method.toLowerCase()}${path}`).replace(/[{}]/g, '').replace(/[^A-Za-z0-9_-]+/g, '_');
    const plain = wanted.replace(/^_+|_+$/g, '');
    const digest = createHash('sha256').update(`${method} ${path}`).digest('hex').slice(0, 8);
    const isFree = plain !== '' && plain.length <= maxNameLength && !taken.has(plain);
    const name = isFree ? plain : `${plain.slice(0, maxNameLength - 9)}_${digest}`;
    taken.add(name);
    return name;
  });
}

interface Context {
  readonly file: OpenApiFile;
  readonly document: OpenApiDocument;
  readonly address: URL | undefined;
}

function toolOf(found: Operation, name: string, context: Context): HttpTool {
  const { file, document } = context;
  const { operation, method, path } = found;
  const schemas = new SchemaCollector(document);
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  const parameters = parametersOf(found, document).map((parameter) => {
    const read = readParameter(parameter, properties, schemas);
    if (read.place === 'path' || parameter.required === true) required.push(read.argument);
    return read;
  });
  const body = bodyOf(resolved(document, operation.requestBody), schemas);
  const bodyName = body && (Object.hasOwn(properties, 'body') ? 'request_body' : 'body');
  if (body && bodyName !== undefined) {
    properties[bodyName] = body.schema;
    if (body.required) required.push(bodyName);
  }
  const base = baseUrl(found, context);
  const credentials = credentialsOf(document, operation, file.auth);
  const inputSchema: JsonSchema = {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
    ...(schemas.definitions && { $defs: schemas.definitions }),
  };
  const { summary } = operation;
  return {
    tool: {
      name,
      ...(typeof summary === 'string' && summary !== '' && { title: summary.slice(0, 200) }),
      description: descriptionOf(operation, method, path),
      inputSchema,
      annotations: {
        readOnlyHint: method === 'GET' || method === 'HEAD',
        destructiveHint: method === 'DELETE',
        idempotentHint: method !== 'POST' && method !== 'PATCH',
        openWorldHint: true,
      },
    },
    settings: settingsOf(file),
    plan: (args, secret) =>
      planOf({ method, path, base, parameters, body, bodyName, headers: file.headers }, args, credentials(), secret),
  };
}

/** Those of the path and those of the operation, which win. */
function parametersOf({ item, operation, path }: Operation, document: OpenApiDocument): JsonObject[] {
  const all = [item.parameters, operation.parameters].flatMap((list) => (Array.isArray(list) ? list : []));
  const found = new Map<string, JsonObject>();
  for (const one of all.map((parameter) => resolved(document, parameter))) {
    if (!isObject(one) || typeof one.name !== 'string' || typeof one.in !== 'string') continue;
    // These are set by what goes with the request (OpenAPI 3.1, "Parameter Object").
    if (one.in === 'header' && /^(?:accept|content-type|authorization)$/i.test(one.name)) continue;
    found.set(`${one.in} ${one.name}`, one);
  }
  // Names in the path that the document says nothing of, as many do.
  for (const [, name = ''] of path.matchAll(/\{([^}]+)\}/g))
    if (!found.has(`path ${name}`)) found.set(`path ${name}`, { name, in: 'path', schema: { type: 'string' } });
  return [...found.values()];
}

function readParameter(
  parameter: JsonObject,
  properties: Record<string, JsonSchema>,
  schemas: SchemaCollector,
): OperationParameter {
  const name = String(parameter.name);
  const place = (['path', 'query', 'header', 'cookie'] as const).find((one) => one === parameter.in) ?? 'query';
  const content = isObject(parameter.content) ? Object.values(parameter.content)[0] : undefined;
  const schema = schemas.convert(isObject(content) ? content.schema : parameter.schema);
  const argument = Object.hasOwn(properties, name) ? `${name}_${place}` : name;
  const { description } = parameter;
  properties[argument] = typeof description === 'string' ? { ...schema, description } : schema;
  const standard = place === 'query' || place === 'cookie' ? 'form' : 'simple';
  const style = typeof parameter.style === 'string' ? parameter.style : standard;
  return {
    argument,
    name,
    place,
    style,
    explode: typeof parameter.explode === 'boolean' ? parameter.explode : style === 'form',
    allowReserved: parameter.allowReserved === true,
    isJson: content !== undefined,
  };
}

function baseUrl({ item, operation }: Operation, { file, document, address }: Context): string {
  if (file.base_url !== undefined) return file.base_url;
  const servers = [operation.servers, item.servers, document.servers].find(
    (list) => Array.isArray(list) && list.length > 0,
  );
  const url = serverOf(servers) ?? '/';
  if (URL.canParse(url)) return new URL(url).href;
  // Beside a document that was read from a file, what its other operations have.
  const base = address?.href ?? serverOf(document.servers);
  if (!URL.canParse(url, base))
    throw new LunaError('extension_invalid', `The document says only "${url}" of its server: set "base_url".`);
  return new URL(url, base).href;
}

/** The first server of a list, with the defaults of its variables. */
function serverOf(servers: unknown): string | undefined {
  const server: unknown = Array.isArray(servers) ? servers[0] : undefined;
  if (!isObject(server)) return undefined;
  const variables = isObject(server.variables) ? server.variables : {};
  return String(server.url).replace(/\{([^}]+)\}/g, (_all, name: string) => {
    const variable = variables[name];
    return isObject(variable) ? String(variable.default ?? '') : '';
  });
}

function descriptionOf({ summary, description, deprecated }: JsonObject, method: string, path: string): string {
  const words = [description, summary].find((text) => typeof text === 'string' && text.trim() !== '');
  return `${deprecated === true ? 'Deprecated. ' : ''}${words ?? `${method} ${path}`}`;
}

interface Plan {
  readonly method: string;
  readonly path: string;
  readonly base: string;
  readonly parameters: readonly OperationParameter[];
  readonly body: OperationBody | undefined;
  readonly bodyName: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

function planOf(
  plan: Plan,
  args: ToolArguments,
  credentials: readonly Credential[],
  secret: (text: string) => string,
): PlannedRequest {
  const values = new Map<string, string>();
  const query: QueryPairs = [];
  const cookies: string[] = [];
  const headers: Record<string, string> = { accept: 'application/json, */*;q=0.5' };
  for (const [name, value] of Object.entries(plan.headers)) headers[name.toLowerCase()] = secret(value);
  for (const parameter of plan.parameters) {
    const value = args[parameter.argument];
    if (value === undefined) continue;
    if (parameter.place === 'path') values.set(parameter.name, pathValue(parameter, value));
    else if (parameter.place === 'query') query.push(...queryPairs(parameter, value));
    else if (parameter.place === 'header') headers[parameter.name.toLowerCase()] = headerValue(parameter, value);
    else cookies.push(`${parameter.name}=${encodeURIComponent(headerValue(parameter, value))}`);
  }
  for (const { place, name, value } of credentials) {
    if (place === 'query') query.push([name, value(secret), false]);
    else if (place === 'cookie') cookies.push(`${name}=${value(secret)}`);
    else headers[name.toLowerCase()] = value(secret);
  }
  if (cookies.length > 0) headers.cookie = cookies.join('; ');
  const url = joinUrl(
    plan.base,
    plan.path.replace(/\{([^}]+)\}/g, (_all, name: string) => values.get(name) ?? ''),
  );
  const text = queryText(query);
  if (text !== '') url.search = [url.search.slice(1), text].filter(Boolean).join('&');
  const given = plan.bodyName === undefined ? undefined : args[plan.bodyName];
  if (!plan.body || given === undefined) return { method: plan.method, url, headers };
  const { type, content } = plan.body.write(given);
  return { method: plan.method, url, headers: { ...headers, 'content-type': type }, body: content };
}
