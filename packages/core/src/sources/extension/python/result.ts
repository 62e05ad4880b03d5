import { errorResult, type ToolResult, textResult, toToolResult } from '../../../tools/index.ts';
import type { PythonOutcome } from './messages.ts';

/** Makes a result of what a Python tool returned. */
export function resultOfPython(outcome: PythonOutcome): ToolResult {
  if ('error' in outcome) return errorResult(outcome.error);
  if ('cancelled' in outcome) return errorResult('The call was cancelled.');
  const result = resultOfValue(outcome.value, outcome.ok !== undefined);
  return outcome.ok === false ? { ...result, isError: true } : result;
}

function resultOfValue(value: unknown, isPair: boolean): ToolResult {
  // A list is a list here: only a tuple is a pair, and Python has told which it was.
  if (Array.isArray(value)) return textResult(JSON.stringify(value));
  const object = isPair && typeof value === 'string' ? objectIn(value) : undefined;
  return object ? { ...textResult(String(value)), structuredContent: object } : toToolResult(value);
}

/** The object in JSON text: the second part of a pair is often written with `json.dumps`. */
function objectIn(text: string): object | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
