import { describeExit } from '../../supervisor/index.ts';
import { errorResult, type ToolResult, textResult, toToolResult } from '../../tools/index.ts';
import type { RunOutcome } from './run.ts';

/** The result of a run: an error with what stood on standard error, JSON, text, or a file for anything else. */
export function resultOf(tool: string, { exit, output, errors }: RunOutcome): ToolResult {
  const text = textOf(output);
  if (exit.code !== 0) {
    const said = errors.join('\n').trim() || (text ?? '').trim().slice(-2_000);
    return errorResult(`The program ${describeExit(exit)}${said === '' ? '.' : `:\n${said}`}`);
  }
  if (text === undefined) {
    const resource = {
      uri: `luna-plugin:///${tool}/output`,
      mimeType: 'application/octet-stream',
      blob: output.toString('base64'),
    };
    return { content: [{ type: 'resource', resource }] };
  }
  return fromJson(text) ?? textResult(text.trimEnd());
}

/** An object is the structured result, or a whole MCP result; other JSON stays the text that it is. */
function fromJson(text: string): ToolResult | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return toToolResult(JSON.parse(text));
  } catch {
    // Text that begins like JSON.
    return undefined;
  }
}

function textOf(output: Buffer): string | undefined {
  if (output.includes(0)) return undefined;
  try {
    return new TextDecoder('utf8', { fatal: true }).decode(output);
  } catch {
    // Not UTF-8.
    return undefined;
  }
}
