import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { LunaError } from '../../errors/index.ts';

/**
 * Parses YAML, or JSON, which is YAML too, by a schema. Throws `extension_invalid` with file, line and column, both for
 * text that is neither and for values that do not fit.
 */
export function parseYamlText<Schema extends z.ZodType>(text: string, schema: Schema, file: string): z.infer<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const [error] = document.errors;
  if (error)
    throw invalidAt(
      file,
      lines.linePos(error.pos[0]),
      isOutOfStack(error.message) ? 'is nested too deep' : error.message,
    );
  let value: unknown;
  try {
    // Aliases that multiply are cut off.
    value = document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    throw invalidAt(file, { line: 1, col: 1 }, isOutOfStack(String(thrown)) ? 'is nested too deep' : String(thrown));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).map((key) => (typeof key === 'symbol' ? String(key) : key));
  const where = path.length > 0 ? `${path.join('.')}: ` : '';
  throw invalidAt(file, lines.linePos(offsetOf(document, path)), `${where}${issue?.message ?? 'does not fit'}`);
}

function isOutOfStack(message: string): boolean {
  return message.includes('call stack');
}

/** Where the value at a path begins, or the nearest one around it. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) return node.range[0];
  }
  return 0;
}

function invalidAt(file: string, { line, col }: { line: number; col: number }, what: string): LunaError {
  return new LunaError('extension_invalid', `${file}:${line}:${col}: ${what}`);
}
