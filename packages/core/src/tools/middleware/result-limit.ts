import { LunaError } from '../../errors/index.ts';
import { type KeptResults, resultOwner, resultReaderName } from '../kept-results.ts';
import type { Caller, Middleware, ToolCall } from '../pipeline.ts';
import type { ContentBlock, ToolResult } from '../result.ts';
import { overLimit } from '../value-limits.ts';

/** Levels of objects and lists in a result; what is deeper exhausts the stack of whoever walks it. */
const maxDepth = 600;

export interface ResultLimitOptions {
  /** The most that a result of this call may hold, in characters; 0 is no limit. */
  readonly limitFor: (call: ToolCall) => number;
  readonly results: KeptResults;
  /** After a result was cut, before its first part is answered: whoever called needs a way to the rest. */
  readonly onCut?: (caller: Caller) => void;
}

/**
 * Cuts a result that is too long for a model: the caller gets the first part and a handle for the rest. What is within
 * the limit passes as it is, and is only measured.
 */
export function resultLimit({ limitFor, results, onCut }: ResultLimitOptions): Middleware {
  const shorten = async (call: ToolCall, result: ToolResult, limit: number) => {
    const { handle, bytes } = await results.keep(resultOwner(call.caller), piecesOf(result));
    onCut?.(call.caller);
    return cut(result, { limit, handle, bytes, promisesOutput: call.tool.tool.outputSchema !== undefined });
  };
  return (call, next) =>
    next().then((result) => {
      const limit = limitFor(call);
      // Its length in JSON says that it cannot be too long, nor too deep: a level has two characters at the least.
      const { answerLength } = call;
      if (
        answerLength !== undefined &&
        answerLength <= 2 * maxDepth &&
        (limit === 0 || answerLength * mostPerCharacter <= limit)
      )
        return result;
      const over = overLimit(result, { depth: maxDepth, ...(limit > 0 && { characters: limit }) });
      if (over === undefined) return result;
      if (over === 'depth' || overLimit(result, { depth: maxDepth })) throw tooDeep(call);
      return shorten(call, result, limit);
    });
}

/** What one character of JSON can count for at most: a number in a list counts with its place. */
const mostPerCharacter = 8;

function tooDeep({ tool }: ToolCall): LunaError {
  return new LunaError('too_large', `What "${tool.name}" answered is nested deeper than ${maxDepth} levels.`);
}

/** The length of all text in a value, in characters; counting ends soon after it is over the limit. */
function lengthOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 4;
  let length = 0;
  for (const key in value) {
    length += key.length + lengthOf((value as Record<string, unknown>)[key], limit - length);
    if (length > limit) return length;
  }
  return length;
}

/** All of a result as text: its texts where there is nothing else, its JSON otherwise. */
function* piecesOf(result: ToolResult): Iterable<string> {
  const texts = result.content.map(textOf);
  const isText = texts.every((text) => text !== undefined);
  // What a tool answers as structured content it repeats as text, by the protocol.
  if (isText && (result.structuredContent === undefined || texts.length > 0)) {
    for (const [index, text] of texts.entries()) yield index === 0 ? (text ?? '') : `\n${text}`;
  } else yield JSON.stringify(result, null, 1);
}

function cut(
  result: ToolResult,
  { limit, handle, bytes, promisesOutput }: { limit: number; handle: string; bytes: number; promisesOutput: boolean },
): ToolResult {
  const content: ContentBlock[] = [];
  let left = limit;
  for (const block of result.content) {
    const text = textOf(block);
    const size = text === undefined ? lengthOf(block, left) : text.length;
    if (size <= left) content.push(block);
    else if (text !== undefined && left > 0) content.push({ type: 'text', text: wholeCharacters(text, left) });
    left = Math.max(0, left - size);
    if (left === 0) break;
  }
  const { structuredContent, content: _whole, ...rest } = result;
  const shown = content.reduce((sum, block) => sum + Buffer.byteLength(textOf(block) ?? ''), 0);
  const how = `Call ${resultReaderName} with {"handle":"${handle}","offset":${shown}} to read on, or with "search" instead of "offset" to find a text in it.`;
  content.push({ type: 'text', text: `[The result is cut here: it has ${bytes} bytes. ${how}]` });
  // A tool that promises structured content may leave it out of an error only (MCP, tools, output schema).
  const isBroken = structuredContent !== undefined && promisesOutput;
  return { ...rest, content, ...(isBroken && { isError: true }) };
}

function textOf(block: ContentBlock): string | undefined {
  return block.type === 'text' && typeof block.text === 'string' ? block.text : undefined;
}

/** The beginning of a text, not cut within a character of two code units. */
function wholeCharacters(text: string, length: number): string {
  const code = text.charCodeAt(length - 1);
  return text.slice(0, code >= 0xd800 && code < 0xdc00 ? length - 1 : length);
}
