import { createHash } from 'node:crypto';
import type { Tool } from './tool.ts';

/** What a tool says of itself to models and people: what a consent to it rests on. */
export type StatedDefinition = Readonly<Partial<Pick<Tool, (typeof definitionFields)[number]>>>;

/** One field in which two definitions differ. `undefined`: it is not there. */
export interface DefinitionDifference {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

const definitionFields = ['title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const;

/** The fields of a tool that make its definition. */
export function definitionOf(tool: Tool): StatedDefinition {
  return Object.fromEntries(
    definitionFields.filter((field) => tool[field] !== undefined).map((field) => [field, tool[field]]),
  );
}

/** Equal for definitions that say the same, in whatever order their keys stand. */
export function definitionDigest(definition: StatedDefinition): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(definition)))
    .digest('hex');
}

/**
 * In which places two definitions differ: fields, and within schemas and hints the paths (`inputSchema.properties.x`).
 * Where those are very many, the fields as a whole: nothing that differs is left out.
 */
export function definitionDifferences(before: StatedDefinition, after: StatedDefinition): DefinitionDifference[] {
  const found: DefinitionDifference[] = [];
  compare(before, after, [], found);
  if (found.length <= maxDifferences) return found;
  const differing = new Set(found.map(({ field }) => field.split('.', 1)[0]));
  return definitionFields
    .filter((field) => differing.has(field))
    .map((field) => ({ field, before: before[field], after: after[field] }));
}

/** More differences than these say nothing more to a person. */
const maxDifferences = 100;

function compare(before: unknown, after: unknown, path: readonly string[], found: DefinitionDifference[]): void {
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(ownValue(before, key), ownValue(after, key), [...path, key], found);
    }
    return;
  }
  if (JSON.stringify(sorted(before)) !== JSON.stringify(sorted(after)))
    found.push({ field: path.join('.'), before, after });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  // `Map`-like entries, not an object: a key such as `__proto__` stays a key.
  return entries.map(([key, inner]) => [key, sorted(inner)]);
}

function ownValue(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
