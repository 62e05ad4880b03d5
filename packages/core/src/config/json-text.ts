import {
  applyEdits,
  type Edit,
  findNodeAtLocation,
  getNodeValue,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { z } from 'zod';
import { LunaError } from '../errors/index.ts';

/** JSON text as people edit it: parsed with positions, changed without touching what is not meant. */

/** Deeper nesting is refused: no setting needs it, and it would exhaust the stack. */
const maxDepth = 100;

/**
 * Parses JSON text (comments and trailing commas allowed) by a schema. Throws `config_invalid`, naming the file,
 * the line and the column, both for text that is not JSON and for values that do not fit the schema.
 */
export function parseJsonText<Schema extends z.ZodType>(saved: string, schema: Schema, file: string): z.infer<Schema> {
  const text = withoutMark(saved);
  assertDepth(text, file);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const first = errors[0];
  if (first || !tree) {
    const what = first ? describeSyntax(printParseErrorCode(first.error)) : 'the file is empty';
    throw invalidAt(text, first?.offset ?? 0, file, what);
  }
  const parsed = schema.safeParse(getNodeValue(tree));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).map((key) => (typeof key === 'symbol' ? String(key) : key));
  const where = path.length > 0 ? `${path.join('.')}: ` : '';
  // What is wrong with a key stands one level deeper than that something is.
  const reason = (issue?.code === 'invalid_key' ? issue.issues[0] : issue)?.message;
  throw invalidAt(text, nearestNode(tree, path).offset, file, `${where}${reason ?? 'does not fit'}`);
}

/** The plain value of JSON text that has been parsed before. */
export function jsonValueOf(text: string): unknown {
  const tree = parseTree(withoutMark(text), [], { allowTrailingComma: true });
  return tree && getNodeValue(tree);
}

/**
 * Text in which `before` has become `after`: only the paths that differ are edited, so comments, order, unknown keys
 * and formatting of everything else stay as the person wrote them.
 */
export function editJsonText(text: string, before: unknown, after: unknown): string {
  let edited = withoutMark(text);
  const mark = text.slice(0, text.length - edited.length);
  for (const change of differencesOf(before, after)) {
    const edits =
      change.value === undefined
        ? removal(edited, change.path)
        : modify(edited, change.path, change.value, { formattingOptions });
    edited = applyEdits(edited, edits);
  }
  return mark + edited;
}

/** A text without the mark that some editors put in front of one in UTF-8. */
export function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

const formattingOptions = { insertSpaces: true, tabSize: 2 };

function removal(text: string, path: (string | number)[]): Edit[] {
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const property = tree && findNodeAtLocation(tree, path)?.parent;
  // A default that goes was never written.
  if (!property) return [];
  const end = property.offset + property.length;
  const comma = property.parent?.children?.length === 1 ? /^\s*,/.exec(text.slice(end)) : null;
  // The library would leave the comma behind an only property, and so what is no JSON.
  if (comma) return [{ offset: property.offset, length: property.length + comma[0].length, content: '' }];
  return modify(text, path, undefined, { formattingOptions });
}

/** Each place at which two documents differ, objects gone through. A value that is undefined is not there. */
export function differencesOf(before: unknown, after: unknown): Change[] {
  return differences(before, after, []);
}

export interface Change {
  readonly path: (string | number)[];
  readonly before: unknown;
  readonly value: unknown;
}

function differences(before: unknown, after: unknown, path: (string | number)[]): Change[] {
  if (!isObject(before) || !isObject(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, value: after }];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => {
    const [former, next] = [own(before, key), own(after, key)];
    if (next === undefined)
      return former === undefined ? [] : [{ path: [...path, key], before: former, value: undefined }];
    return differences(former, next, [...path, key]);
  });
}

/** A key may be called like something that every object inherits. */
function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nearestNode(tree: Node, path: (string | number)[]): Node {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    // A value is reported where its key stands, which is what a person looks for.
    if (node) return node.parent?.type === 'property' ? node.parent : node;
  }
  return tree;
}

function invalidAt(text: string, offset: number, file: string, what: string): LunaError {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - (before.lastIndexOf('\n') + 1) + 1;
  return new LunaError('config_invalid', `${file}:${line}:${column}: ${what}`, { details: { file, line, column } });
}

function describeSyntax(code: string): string {
  const words = code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return `not valid JSON: ${words}`;
}

function assertDepth(text: string, file: string): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (inString) {
      if (char === '\\') index++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') {
      depth++;
      if (depth > maxDepth) throw invalidAt(text, index, file, `nested deeper than ${maxDepth} levels`);
    } else if (char === '}' || char === ']') depth--;
  }
}
