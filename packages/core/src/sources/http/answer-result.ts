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
    const text = isText(type) ? body.toString('utf8').slice(0, maxErrorLength) : `${body.length} bytes of ${type}`;
    return { ...errorResult(`HTTP ${status}: ${text || 'no content'}`), _meta: { [upstreamStatusKey]: status } };
  }
  if (body.length === 0) return textResult(`HTTP ${status}, no content.`);
  if (isJson(type) || (type === '' && looksLikeJson(body))) return jsonResult(body, pick);
  if (isText(type)) return textResult(body.toString('utf8'));
  const data = body.toString('base64');
  if (type.startsWith('image/') || type.startsWith('audio/'))
    return { content: [{ type: type.split('/')[0] ?? 'image', data, mimeType: type }] };
  const resource = { uri: 'luna:answer', mimeType: type || 'application/octet-stream', blob: data };
  return { content: [{ type: 'resource', resource }] };
}

function jsonResult(body: Buffer, pick: string | undefined): ToolResult {
  const text = body.toString('utf8');
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
    ? { content: [{ type: 'text', text: JSON.stringify(picked) }], structuredContent: picked }
    : toToolResult(typeof picked === 'string' ? picked : JSON.stringify(picked));
}

/** A path with dots; a number is a place in a list. */
function pickFrom(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split('.').filter(Boolean)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
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
