import type { JsonSchema, Tool, ToolArguments } from './tool.ts';

/**
 * Arguments that a tool wants to see in HTTP headers as well (`x-mcp-header`; MCP 2026-07-28, transports, "Custom
 * headers from tool parameters", SEP-2243).
 */
export interface ParamHeader {
  /** The header's name after `Mcp-Param-`. */
  readonly name: string;
  /** Where the argument is. */
  readonly path: readonly string[];
}

/** What a tool declares, or why its declarations cannot be followed. */
export type ParamHeaders = { readonly headers: readonly ParamHeader[] } | { readonly fault: string };

const none: ParamHeaders = { headers: [] };
const scanned = new WeakMap<JsonSchema, ParamHeaders>();
const maxDepth = 64;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The declarations in a tool's input schema; looked for once per schema. */
export function paramHeadersOf({ inputSchema }: Pick<Tool, 'inputSchema'>): ParamHeaders {
  const known = scanned.get(inputSchema);
  if (known) return known;
  const found = JSON.stringify(inputSchema).includes('"x-mcp-header"') ? scan(inputSchema) : none;
  scanned.set(inputSchema, found);
  return found;
}

/** The headers that go with these arguments. */
export function paramHeaderValues(headers: readonly ParamHeader[], args: ToolArguments): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name, path } of headers) {
    const text = textOf(valueAt(args, path));
    if (text !== undefined) values[`mcp-param-${name.toLowerCase()}`] = headerText(text);
  }
  return values;
}

/** Why headers do not say what the arguments say, or undefined when they do. */
export function paramHeaderMismatch(
  headers: readonly ParamHeader[],
  args: ToolArguments,
  given: Readonly<Record<string, string | string[] | undefined>>,
): string | undefined {
  for (const { name, path } of headers) {
    const value = valueAt(args, path);
    const text = textOf(value);
    if (text === undefined) continue;
    const header = given[`mcp-param-${name.toLowerCase()}`];
    if (typeof header !== 'string')
      return `the header Mcp-Param-${name} is missing, and the argument ${path.join('.')} is there`;
    const decoded = plainText(header);
    const agrees = decoded === text || (typeof value === 'number' && isDecimal(decoded) && Number(decoded) === value);
    if (!agrees) return `the header Mcp-Param-${name} and the argument ${path.join('.')} differ`;
  }
  return undefined;
}

/** A header value as 2026-07-28 wants it: plain where it can be, else Base64 between marks (SEP-2243). */
export function headerText(value: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?');
  return plain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

function plainText(value: string): string | undefined {
  const encoded = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/.exec(value)?.[1];
  if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString('utf8');
  return value.startsWith('=?base64?') && value.endsWith('?=') ? undefined : value;
}

function scan(schema: JsonSchema): ParamHeaders {
  const headers: ParamHeader[] = [];
  const names = new Set<string>();
  const fault = visit(schema, [], true);
  return fault === undefined ? { headers } : { fault };

  function visit(node: unknown, path: readonly string[], isReachable: boolean): string | undefined {
    if (!isObject(node) || path.length > maxDepth) return undefined;
    const fault = 'x-mcp-header' in node ? declare(node, path, isReachable) : undefined;
    if (fault !== undefined) return fault;
    for (const [key, child] of Object.entries(node)) {
      // Data is not schema: a default may hold anything.
      if (['default', 'const', 'enum', 'examples'].includes(key) || typeof child !== 'object' || child === null)
        continue;
      const found = key === 'properties' ? visitAll(child, path, isReachable) : visitBelow(key, child, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function visitAll(properties: object, path: readonly string[], isReachable: boolean): string | undefined {
    for (const [name, child] of Object.entries(properties)) {
      const found = visit(child, [...path, name], isReachable);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Behind any other keyword it cannot be told where the argument will be. */
  function visitBelow(key: string, child: object, path: readonly string[]): string | undefined {
    return visit(child, [...path, key], false) ?? visitAll(child, [...path, key], false);
  }

  function declare(node: Record<string, unknown>, path: readonly string[], isReachable: boolean): string | undefined {
    const { 'x-mcp-header': name, type } = node;
    const where = path.join('.') || 'the root';
    if (!isReachable || path.length === 0) return `${where}: x-mcp-header stands where it cannot be followed`;
    if (typeof name !== 'string' || !token.test(name)) return `${where}: x-mcp-header is no name of a header`;
    if (type !== 'string' && type !== 'integer' && type !== 'boolean')
      return `${where}: x-mcp-header is only for texts, whole numbers and booleans`;
    if (names.has(name.toLowerCase())) return `${where}: the header ${name} is declared twice`;
    names.add(name.toLowerCase());
    headers.push({ name, path });
    return undefined;
  }
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce(
    (node: unknown, key) => (isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined),
    root,
  );
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return String(value);
  return undefined;
}

function isDecimal(text: string | undefined): boolean {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
