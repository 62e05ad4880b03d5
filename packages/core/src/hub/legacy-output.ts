import type { McpObject, Tool } from '../tools/index.ts';

/**
 * The 2025 protocols know only outputs that are objects. A tool with another output is shown to their clients as one
 * that gives `{ result: … }` (the same that the official SDK does).
 */

export function needsObjectOutput({ outputSchema }: Pick<Tool, 'outputSchema'>): boolean {
  return outputSchema !== undefined && outputSchema.type !== 'object';
}

export function withObjectOutput(tool: Tool): Tool {
  if (!needsObjectOutput(tool)) return tool;
  const { $schema, $id: _id, ...inner } = tool.outputSchema ?? {};
  return {
    ...tool,
    outputSchema: {
      ...($schema !== undefined && { $schema }),
      type: 'object',
      properties: { result: moved(inner) },
      required: ['result'],
    },
  };
}

/** The result of such a tool, or of one without a schema whose structured content is no object. */
export function withObjectContent(result: McpObject, isWrapped: boolean): McpObject {
  const { structuredContent, content } = result;
  if (structuredContent === undefined) return result;
  const isObject =
    typeof structuredContent === 'object' && structuredContent !== null && !Array.isArray(structuredContent);
  if (isObject && !isWrapped) return result;
  const hasText = Array.isArray(content) && content.length > 0;
  return {
    ...result,
    ...(!hasText && { content: [{ type: 'text', text: JSON.stringify(structuredContent) }] }),
    structuredContent: { result: structuredContent },
  };
}

/** A schema one level deeper: references to its root lead there. */
function moved(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(moved);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === '$ref' && typeof value === 'string' && (value === '#' || value.startsWith('#/')))
        return [key, `#/properties/result${value.slice(1)}`];
      return [key, key === 'const' || key === 'enum' || key === 'default' || key === 'examples' ? value : moved(value)];
    }),
  );
}
