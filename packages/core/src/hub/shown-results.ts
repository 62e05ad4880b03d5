import type { McpObject } from '../tools/index.ts';

/** Gives a URI of a server the form in which clients see it. */
export type ShowUri = (uri: string) => string;

/** A tool's result with the URIs in it as clients see them. Nothing is copied where nothing changes. */
export function showInBlocks<Result extends McpObject>(result: Result, show: ShowUri): Result {
  const { content } = result;
  if (!Array.isArray(content) || !content.some(hasUri)) return result;
  return { ...result, content: content.map((block) => showInBlock(block, show)) };
}

/** The same for the result of `resources/read`. */
export function showInContents(result: McpObject, show: ShowUri): McpObject {
  const { contents } = result;
  if (!Array.isArray(contents)) return result;
  return { ...result, contents: contents.map((entry) => (isObject(entry) ? showUri(entry, show) : entry)) };
}

/** The same for the result of `prompts/get`. */
export function showInMessages(result: McpObject, show: ShowUri): McpObject {
  const { messages } = result;
  if (!Array.isArray(messages)) return result;
  return {
    ...result,
    messages: messages.map((message) =>
      isObject(message) ? { ...message, content: showInBlock(message.content, show) } : message,
    ),
  };
}

function showInBlock(block: unknown, show: ShowUri): unknown {
  if (Array.isArray(block)) return block.map((one) => showInBlock(one, show));
  if (!isObject(block)) return block;
  if (block.type === 'resource_link') return showUri(block, show);
  if (block.type === 'resource' && isObject(block.resource))
    return { ...block, resource: showUri(block.resource, show) };
  return block;
}

function showUri(holder: McpObject, show: ShowUri): McpObject {
  return typeof holder.uri === 'string' ? { ...holder, uri: show(holder.uri) } : holder;
}

function hasUri(block: unknown): boolean {
  return isObject(block) && (block.type === 'resource_link' || block.type === 'resource');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
