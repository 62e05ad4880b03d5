/** One block of content, MCP's `ContentBlock`: text, image, audio, resource, link, or a kind that Luna does not know. */
export interface ContentBlock {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What a call answers, in the shape of MCP's `CallToolResult`. Unknown fields are kept. */
export interface ToolResult {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly [key: string]: unknown;
}

/** A result with one block of text. */
export function textResult(text: string): ToolResult {
  return { content: [{ type: 'text', text }] };
}

/** A result that tells the model that the tool failed, and why. */
export function errorResult(message: string): ToolResult {
  return { content: [{ type: 'text', text: message }], isError: true };
}

/**
 * Makes a result of whatever a tool's handler returned: a string becomes text; a full MCP result stays as it is;
 * `[true, value]` is the value and `[false, value]` a failure; any other JSON value becomes its JSON text, and
 * structured content where it is an object.
 */
export function toToolResult(returned: unknown): ToolResult {
  if (isToolResult(returned)) return returned;
  if (Array.isArray(returned) && returned.length === 2 && typeof returned[0] === 'boolean') {
    const result = toToolResult(returned[1]);
    return returned[0] ? result : { ...result, isError: true };
  }
  if (typeof returned === 'string') return textResult(returned);
  if (returned === undefined || returned === null) return { content: [] };
  const text = JSON.stringify(returned);
  if (text === undefined) return errorResult(`The tool returned a ${typeof returned}, which is not JSON.`);
  if (!text.startsWith('{')) return textResult(text);
  // Parsed again: what a client gets is JSON, whatever dates, functions or classes the value was made of.
  return { content: [{ type: 'text', text }], structuredContent: JSON.parse(text) };
}

function isToolResult(value: unknown): value is ToolResult {
  if (typeof value !== 'object' || value === null || !('content' in value) || !Array.isArray(value.content))
    return false;
  return value.content.every((block) => typeof block === 'object' && block !== null && typeof block.type === 'string');
}
