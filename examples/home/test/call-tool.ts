import { type ToolDefinition, type ToolResult, type ToolSchema, toToolResult } from '@luna/core/tools';

/** A result, with the text of its first block. */
export type Answer = ToolResult & { readonly text: string };

/**
 * Calls one of the tools as Luna does: arguments are checked and completed, and what is returned becomes a result.
 * `dataDir` is the extension's folder for data, `services` are the addresses of its services. Throws for an unknown tool, for arguments that do not fit, and for an
 * answer that is not what the tool's output schema promises.
 */
export async function callTool(
  tools: readonly ToolDefinition<never>[],
  name: string,
  args: unknown,
  dataDir = '',
  services: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const tool = tools.find((candidate) => candidate.name === name);
  if (!tool) throw new Error(`There is no tool ${name}.`);
  const value = await fitting(tool.input, args);
  const context = { signal: new AbortController().signal, progress: () => undefined, dataDir, services };
  const result = toToolResult(await tool.handler(value as never, context));
  if (tool.output && !result.isError) await fitting(tool.output, result.structuredContent);
  return { ...result, text: String(result.content[0]?.text) };
}

async function fitting(schema: ToolDefinition['input'], value: unknown): Promise<unknown> {
  if (!isToolSchema(schema)) return value;
  const outcome = await schema['~standard'].validate(value);
  if (outcome.issues) throw new TypeError(outcome.issues.map((issue) => issue.message).join('; '));
  return outcome.value;
}

function isToolSchema(schema: ToolDefinition['input']): schema is ToolSchema {
  return schema !== undefined && '~standard' in schema;
}
