import { LunaError } from '../../../errors/index.ts';
import { isObject, type JsonObject } from './document.ts';

/** A parameter of an operation, and how its value is written (OpenAPI 3.1, "Parameter Object"). */
export interface OperationParameter {
  /** The name of the argument: that of the parameter, unless another one has it too. */
  readonly argument: string;
  readonly name: string;
  readonly place: 'path' | 'query' | 'header' | 'cookie';
  readonly style: string;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** The value is written as JSON, as `content` has it. */
  readonly isJson: boolean;
}

/** Pairs of names and values for a query, both as they are. */
export type QueryPairs = [name: string, value: string, isRaw: boolean][];

/** The value of a path parameter, encoded. */
export function pathValue({ name, style, explode, isJson }: OperationParameter, value: unknown): string {
  const encode = encodeURIComponent;
  if (isJson) return encode(JSON.stringify(value));
  if (style === 'label') return `.${listed(value, explode ? '.' : ',', explode, encode)}`;
  if (style === 'matrix') {
    if (Array.isArray(value) && explode) return value.map((one) => `;${name}=${encode(textOf(one))}`).join('');
    if (isObject(value) && explode) {
      return Object.entries(value)
        .map(([key, one]) => `;${encode(key)}=${encode(textOf(one))}`)
        .join('');
    }
    return `;${name}=${listed(value, ',', false, encode)}`;
  }
  const text = listed(value, ',', explode, encode);
  if (text === '' || text === '.' || text === '..') {
    throw new LunaError('invalid_input', `The argument "${name}" cannot be "${text}": it is a part of the path.`);
  }
  return text;
}

/** The pairs of a query parameter. */
export function queryPairs(
  { name, style, explode, allowReserved, isJson }: OperationParameter,
  value: unknown,
): QueryPairs {
  const pair = (key: string, one: string): QueryPairs[number] => [key, one, allowReserved];
  if (isJson) return [pair(name, JSON.stringify(value))];
  if (style === 'deepObject' && isObject(value)) return deepPairs(name, value).map(([key, one]) => pair(key, one));
  const separator = style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : ',';
  if (Array.isArray(value)) {
    if (explode && separator === ',') return value.map((one) => pair(name, textOf(one)));
    return [pair(name, value.map(textOf).join(separator))];
  }
  if (isObject(value)) {
    if (explode) return Object.entries(value).map(([key, one]) => pair(key, textOf(one)));
    return [
      pair(
        name,
        listed(value, separator, false, (text) => text),
      ),
    ];
  }
  return [pair(name, textOf(value))];
}

/** The value of a header or a cookie. */
export function headerValue({ name, explode, isJson }: OperationParameter, value: unknown): string {
  const text = isJson ? JSON.stringify(value) : listed(value, ',', explode, (one) => one);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no header may hold
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new LunaError('invalid_input', `The argument "${name}" holds characters that no header can.`);
  }
  return text;
}

/** A query as it is sent; reserved characters stay where the parameter allows it. */
export function queryText(pairs: QueryPairs): string {
  return pairs
    .map(
      ([name, value, isRaw]) =>
        `${encodeURIComponent(name)}=${isRaw ? encodeURI(value).replace(/[&#]/g, encodeURIComponent) : encodeURIComponent(value)}`,
    )
    .join('&');
}

function deepPairs(name: string, value: JsonObject): [string, string][] {
  return Object.entries(value).flatMap(([key, one]) => {
    const inner = `${name}[${key}]`;
    if (isObject(one)) return deepPairs(inner, one);
    if (Array.isArray(one)) return one.map((item): [string, string] => [`${inner}[]`, textOf(item)]);
    return one === undefined ? [] : [[inner, textOf(one)] as [string, string]];
  });
}

function listed(value: unknown, separator: string, explode: boolean, encode: (text: string) => string): string {
  if (Array.isArray(value)) return value.map((one) => encode(textOf(one))).join(separator);
  if (isObject(value)) {
    const pairs = Object.entries(value).map(
      ([key, one]) => `${encode(key)}${explode ? '=' : separator}${encode(textOf(one))}`,
    );
    return pairs.join(separator);
  }
  return encode(textOf(value));
}

function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
