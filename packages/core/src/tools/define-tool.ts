import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { ToolProgress } from './call.ts';
import type { JsonSchema, ToolAnnotations, ToolArguments } from './tool.ts';

/** A schema library's schema (zod 4.2 or later, or any other with Standard JSON Schema). */
export type ToolSchema = StandardSchemaV1 & StandardJSONSchemaV1;

/** What a handler is given beside its arguments. */
export interface ToolContext {
  /** Aborted when the caller withdraws or a limit is reached. */
  readonly signal: AbortSignal;
  /** Tells the caller how far the work is. */
  progress(progress: ToolProgress): void;
  /** The extension's own folder for data, which is kept between versions. */
  readonly dataDir: string;
  /** Where the services of the extension answer, by their names: `http://127.0.0.1:5300`. Only those that run. */
  readonly services: Readonly<Record<string, string>>;
}

/** An example for models and docs: what a person might say, and what is then called and answered. */
export interface ToolExample {
  readonly prompt: string;
  readonly args?: ToolArguments;
  readonly response?: unknown;
}

/**
 * A tool as an extension writes it. `input` is a schema of a schema library or a JSON Schema object; the handler
 * may return a string, any JSON value, `[ok, value]` or a full MCP result (see `toToolResult`).
 */
export interface ToolDefinition<Input = ToolArguments> {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly input?: ToolSchema | JsonSchema;
  readonly output?: ToolSchema | JsonSchema;
  readonly annotations?: ToolAnnotations;
  readonly examples?: readonly ToolExample[];
  handler(args: Input, context: ToolContext): unknown;
}

/** Returns the definition unchanged; its use is that TypeScript then knows the handler's arguments. */
export function defineTool<Schema extends ToolSchema>(
  definition: Omit<ToolDefinition<StandardSchemaV1.InferOutput<Schema>>, 'input'> & { readonly input: Schema },
): ToolDefinition<StandardSchemaV1.InferOutput<Schema>>;
export function defineTool(definition: ToolDefinition): ToolDefinition;
export function defineTool<Input>(definition: ToolDefinition<Input>): ToolDefinition<Input> {
  return definition;
}
