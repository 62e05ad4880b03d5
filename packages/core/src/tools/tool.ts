/** A JSON Schema object, as MCP carries it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Hints about what a tool does (MCP `ToolAnnotations`). They are claims of the source, never a permission. */
export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
  readonly [key: string]: unknown;
}

/**
 * A tool as its source describes it, in the shape of MCP's `Tool`. Fields that Luna does not know are kept
 * and reach the client as they came.
 */
export interface Tool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema?: JsonSchema;
  readonly annotations?: ToolAnnotations;
  readonly [key: string]: unknown;
}

/** Arguments of a call: always a JSON object. */
export type ToolArguments = Readonly<Record<string, unknown>>;
