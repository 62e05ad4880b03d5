import { errorResult, overLimit, type ToolResult, textResult, toToolResult } from '../../tools/index.ts';
import type { Answer } from './exchange.ts';

/** In `_meta` of a result: the status with which a service refused. */
export const upstreamStatusKey = 'dev.luna/upstream-status';

/** Levels of objects and lists in an answer. */
const maxDepth = 500;
/** How much of an error's body a model is shown, in characters. */
const maxErrorLength = 2_000;

/** What a caller gets for an answer. `pick`: a path into its JSON. */
export function resultOf({ status, contentType, body }: Answer, pick: string | undefined): ToolResult {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (status >= 400) {
    const text = isText(type) ? textOf(body, contentType).slice(0, maxErrorLength) : `${body.length} bytes of ${type}`;
    return { ...errorResult(`HTTP ${status}: ${text || 'no content'}`), _meta: { [upstreamStatusKey]: status } };
  }
  if (body.length === 0) return textResult(`HTTP ${status}, no content.`);
  if (isJson(type) || (type === '' && looksLikeJson(body))) return jsonResult(textOf(body, contentType), pick);
  if (isText(type)) return textResult(textOf(body, contentType));
  const data = body.toString('base64');
  if (type.startsWith('image/') || type.startsWith('audio/'))
    return { content: [{ type: type.split('/')[0] ?? 'image', data, mimeType: type }] };
  const resource = { uri: 'luna:answer', mimeType: type || 'application/octet-stream', blob: data };
  return { content: [{ type: 'resource', resource }] };
}

function jsonResult(text: string, pick: string | undefined): ToolResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return errorResult(`The service said that it answers JSON, but did not: ${text.slice(0, 200)}`);
  }
  const picked = pick === undefined ? value : pickFrom(value, pick);
  if (picked === undefined) return errorResult(`The answer has nothing at "${pick}": ${text.slice(0, 200)}`);
  if (overLimit(picked, { depth: maxDepth }))
    return errorResult(`The service answered with JSON that is nested deeper than ${maxDepth} levels.`);
  // Only a whole result of MCP is one; an answer that happens to have a field of that name is data.
  return typeof picked === 'object' && picked !== null && !Array.isArray(picked)
    ? { content: [{ type: 'text', text: exactText(text, picked, pick) }], structuredContent: picked }
    : toToolResult(typeof picked === 'string' ? picked : exactText(text, picked, pick));
}

/** JSON as text, in which long numbers, of which JavaScript forgets the last digits, have all of them. */
function exactText(text: string, picked: unknown, pick: string | undefined): string {
  if (!/\d{16}/.test(text)) return JSON.stringify(picked);
  const exact: unknown = parseExactly(text, (_key, value, { source }) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) && source !== undefined ? rawJson(source) : value,
  );
  return JSON.stringify(pick === undefined ? exact : pickFrom(exact, pick));
}

/** What Node has, and TypeScript does not know yet. */
const { parse: parseExactly, rawJSON: rawJson } = JSON as unknown as {
  parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/** A path with dots; a number is a place in a list. */
function pickFrom(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split('.').filter(Boolean)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** The text in the encoding that the answer names, or in UTF-8. A mark in front of it is no part of it. */
function textOf(body: Buffer, contentType: string): string {
  const charset = /;\s*charset=\s*"?([^\s";]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    // No encoding that there is.
    return new TextDecoder().decode(body);
  }
}

function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

function isText(type: string): boolean {
  return (
    type === '' ||
    type.startsWith('text/') ||
    isJson(type) ||
    /\b(xml|javascript|yaml|x-www-form-urlencoded)\b/.test(type)
  );
}

function looksLikeJson(body: Buffer): boolean {
  return /^\s*[[{]/.test(body.subarray(0, 64).toString('latin1'));
}
