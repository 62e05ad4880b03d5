import { ToolSchema } from '@modelcontextprotocol/core';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { PatternJudge, type PatternProblem, type PatternSession } from './hostile-pattern.ts';
import type { ReviewedTool, ToolReview } from './review.ts';
import type { JsonSchema, Tool } from './tool.ts';
import { overLimit } from './value-limits.ts';

/** A schema that is larger is of no use to a model, and breaks clients. */
const limits = { depth: 64, parts: 20_000, characters: 1_000_000, patterns: 100 } as const;
/** Levels of objects and lists in all that a tool says of itself. A level of a schema is two or three of them. */
export const maxToolDepth = 200;
/** Words of JSON Schema whose value is a schema, a list of schemas, or an object of schemas. */
const schemaWords = new Set(
  'additionalItems additionalProperties contains contentSchema else if items not propertyNames then unevaluatedItems unevaluatedProperties'.split(
    ' ',
  ),
);
const listWords = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const objectWords = new Set(['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties']);

const ajvOptions = { strict: false, validateFormats: false, logger: false } as const;
const metaSchemas = { latest: new Ajv2020(ajvOptions), draft7: new Ajv(ajvOptions) };

/**
 * A review that looks at the schemas of tools of MCP servers, of which one that is odd makes model APIs and clients
 * refuse the whole list. What can be mended without harm is mended; otherwise that one tool is held back, with the
 * reason. What was found out about patterns is remembered.
 */
export function schemaReview(): ToolReview {
  const judge = new PatternJudge();
  return (source, listed) => {
    if (source.kind !== 'mcp') return listed.map((tool) => ({ tool }));
    const patterns = judge.session();
    return listed.map((tool) => lintTool(tool, patterns));
  };
}

/** See {@link schemaReview}. A sound tool is given back as the very same object. */
export function lintTool(listed: Tool, patterns: PatternSession = new PatternJudge().session()): ReviewedTool {
  // Before anything that calls itself for what lies within.
  if (overLimit(listed, { depth: maxToolDepth }))
    return { tool: listed, heldBack: `it is nested deeper than ${maxToolDepth} levels. Its server has to mend that.` };
  const { tool, nulls } = withoutNulls(listed);
  const input = lintSchema(tool.inputSchema, 'object', patterns);
  if (input.problem !== undefined)
    return { tool, heldBack: `its input schema ${input.problem}. Its server has to mend that.` };
  const illegal = ToolSchema.safeParse({ ...tool, inputSchema: input.schema }).error?.issues[0];
  if (illegal) {
    const where = illegal.path.join('.');
    return {
      tool,
      heldBack: `it is not as MCP wants a tool (${where}: ${illegal.message}). Its server has to mend that.`,
    };
  }
  const output = tool.outputSchema === undefined ? undefined : lintSchema(tool.outputSchema, undefined, patterns);
  const notes = [
    ...(nulls.length > 0 ? [`It is shown without what was null: ${nulls.join(', ')}.`] : []),
    ...input.notes.map((note) => `Its input schema ${note}.`),
  ];
  let mended: Tool = input.schema === tool.inputSchema ? tool : { ...tool, inputSchema: input.schema };
  if (output?.problem !== undefined) {
    const { outputSchema: _left, ...rest } = mended;
    mended = rest;
    notes.push(`Its output schema ${output.problem}, and is left out.`);
  } else if (output && output.schema !== tool.outputSchema) {
    mended = { ...mended, outputSchema: output.schema };
    notes.push(...output.notes.map((note) => `Its output schema ${note}.`));
  }
  return notes.length === 0 ? { tool: mended } : { tool: mended, note: notes.join(' ') };
}

/** Some servers write null for what they leave out, which clients take for an error. Only what MCP itself names. */
function withoutNulls(tool: Tool): { tool: Tool; nulls: readonly string[] } {
  const { annotations } = tool as { annotations?: unknown };
  const hints = isObject(annotations) ? nullsOf(annotations, ToolSchema.shape.annotations.unwrap().shape) : [];
  const nulls = nullsOf(tool, ToolSchema.shape).filter((field) => field !== 'inputSchema');
  if (nulls.length === 0 && hints.length === 0) return { tool, nulls };
  const { annotations: _all, ...rest } = tool;
  const mended = hints.length === 0 ? tool : { ...rest, annotations: without(annotations as object, hints) };
  return { tool: without(mended, nulls) as Tool, nulls: [...nulls, ...hints.map((hint) => `annotations.${hint}`)] };
}

function nullsOf(value: object, fields: object): string[] {
  return Object.entries(value).flatMap(([key, inner]) => (inner === null && Object.hasOwn(fields, key) ? [key] : []));
}

function without(value: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

interface Linted {
  readonly schema: JsonSchema;
  /** Why the schema cannot be shown, to be read after "its schema". */
  readonly problem?: string;
  /** What was mended, to be read likewise. */
  readonly notes: readonly string[];
}

/** `type`: what the schema must describe. */
function lintSchema(schema: JsonSchema, type: 'object' | undefined, patterns: PatternSession): Linted {
  if (!isObject(schema)) return { schema, problem: 'is not there', notes: [] };
  const broken = (problem: string): Linted => ({ schema, problem, notes: [] });
  const over = overLimit(schema, { ...limits, depth: maxToolDepth });
  if (over === 'parts') return broken(`has more than ${limits.parts} parts`);
  if (over === 'characters') return broken(`is longer than ${limits.characters} characters`);
  const walk = new Walk(schema, patterns);
  walk.visit(schema, 0);
  if (walk.problem !== undefined) return broken(walk.problem);
  const invalid = metaProblem(walk.badPatterns.length === 0 ? schema : walk.mended());
  if (invalid !== undefined) return broken(invalid);
  const notes = walk.badPatterns.map(
    ({ pattern, problem }) => `had the pattern ${shown(pattern)}, which ${faults[problem]}, and is shown without it`,
  );
  const lacksType = type !== undefined && schema.type === undefined;
  if (notes.length === 0 && !lacksType) return { schema, notes };
  return lacksType
    ? {
        schema: { type, ...walk.mended() },
        notes: [...notes, `did not say that it describes an ${type}, and now does`],
      }
    : { schema: walk.mended(), notes };
}

const faults: Readonly<Record<PatternProblem, string>> = {
  'not-legal': 'is no regular expression',
  catastrophic: 'can take for ever',
  'not-tried': 'there was no time to try, because its server has many that are slow',
};

/** Goes through a schema once and notes what is bad. */
class Walk {
  problem: string | undefined;
  readonly badPatterns: { readonly at: object; readonly pattern: string; readonly problem: PatternProblem }[] = [];
  readonly #root: JsonSchema;
  readonly #patterns: PatternSession;
  #patternCount = 0;
  #anchors: ReadonlySet<unknown> | undefined;

  constructor(root: JsonSchema, patterns: PatternSession) {
    this.#root = root;
    this.#patterns = patterns;
  }

  /** `value` is a schema: an object, or true or false. */
  visit(value: unknown, depth: number): void {
    if (this.problem !== undefined || !isObject(value)) return;
    if (depth > limits.depth) this.problem = `is nested deeper than ${limits.depth} levels`;
    for (const [word, inner] of Object.entries(value)) {
      if (this.problem !== undefined) return;
      if (word === '$ref' || word === '$dynamicRef') this.#reference(inner);
      else if (word === 'pattern') this.#pattern(value, inner);
      else if (objectWords.has(word) && isObject(inner)) {
        for (const [name, one] of Object.entries(inner)) {
          if (word === 'patternProperties') this.#pattern(inner, name);
          this.visit(one, depth + 1);
        }
      } else if (listWords.has(word) && Array.isArray(inner)) for (const one of inner) this.visit(one, depth + 1);
      else if (schemaWords.has(word)) for (const one of [inner].flat()) this.visit(one, depth + 1);
    }
  }

  /** The schema without the patterns that are bad. */
  mended(): JsonSchema {
    const bad = new Map<object, Set<string>>();
    for (const { at, pattern } of this.badPatterns) bad.set(at, (bad.get(at) ?? new Set()).add(pattern));
    const copy = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(copy);
      if (!isObject(value)) return value;
      const left = bad.get(value);
      const entries = Object.entries(value).filter(
        ([key, inner]) => !left || !(left.has(key) || (key === 'pattern' && left.has(String(inner)))),
      );
      return Object.fromEntries(entries.map(([key, inner]) => [key, copy(inner)]));
    };
    return copy(this.#root) as JsonSchema;
  }

  #reference(target: unknown): void {
    if (typeof target !== 'string') this.problem = 'has a reference that is no text';
    else if (!target.startsWith('#')) this.problem = `leads out of itself, to ${shown(target)}`;
    else if (!this.#resolves(target)) this.problem = `leads to ${shown(target)}, which is not there`;
  }

  #pattern(at: object, pattern: unknown): void {
    if (typeof pattern !== 'string') return;
    if (++this.#patternCount > limits.patterns) {
      this.problem = `has more than ${limits.patterns} patterns`;
      return;
    }
    const problem = this.#patterns.problemOf(pattern);
    if (problem) this.badPatterns.push({ at, pattern, problem });
  }
  /** Whether a reference within the document leads somewhere: a JSON Pointer, or an anchor by its name. */
  #resolves(reference: string): boolean {
    const fragment = safeDecode(reference.slice(1));
    if (fragment === undefined) return false;
    if (fragment !== '' && !fragment.startsWith('/')) {
      this.#anchors ??= anchorsIn(this.#root);
      return this.#anchors.has(fragment);
    }
    let at: unknown = this.#root;
    for (const token of fragment.split('/').slice(1)) {
      const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
      at = (at as Record<string, unknown>)[key];
    }
    return isObject(at) || typeof at === 'boolean';
  }
}

/** The names of all anchors of a document. */
function anchorsIn(root: object): ReadonlySet<unknown> {
  const anchors = new Set<unknown>();
  const waiting: object[] = [root];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    for (const [key, inner] of Object.entries(at)) {
      if (key === '$anchor' || key === '$dynamicAnchor') anchors.add(inner);
      else if (typeof inner === 'object' && inner !== null) waiting.push(inner);
    }
  }
  return anchors;
}

/** What the language of the schema says of it; nothing for languages that are not known here. */
function metaProblem(schema: JsonSchema): string | undefined {
  const language = schema.$schema;
  const isDraft7 = typeof language === 'string' && /draft-0[67]/.test(language);
  const isKnown = language === undefined || isDraft7 || String(language).includes('2020-12');
  if (!isKnown) return undefined;
  const { $schema: _language, $id: _id, ...rest } = schema;
  const ajv = isDraft7 ? metaSchemas.draft7 : metaSchemas.latest;
  if (ajv.validateSchema(rest) === true) return undefined;
  const [error] = ajv.errors ?? [];
  return `is not legal at ${error?.instancePath || 'its root'}: ${error?.message ?? 'no reason given'}`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function safeDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
