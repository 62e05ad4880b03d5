import { Script } from 'node:vm';

/** What is wrong with a regular expression of a schema; undefined when nothing is. */
export type PatternProblem = 'not-legal' | 'catastrophic';

/** Longer than this is no pattern that a person wrote. */
const maxLength = 2_000;
/** A text this short is matched at once by any sound pattern, in milliseconds. */
const patienceMs = 40;
const textLength = 32;

/**
 * Whether a pattern is a regular expression (ECMA 262, as JSON Schema has it) that ends in a reasonable time. Patterns
 * with repeated groups are tried on texts that make bad ones go back and forth; the trial is cut off.
 */
export function problemOfPattern(pattern: string): PatternProblem | undefined {
  if (pattern.length > maxLength) return 'catastrophic';
  if (!isLegal(pattern)) return 'not-legal';
  // Without a repeated group there is nothing whose ways multiply.
  if (!/\)(?:[*+]|\{\d*,?\d*\})/.test(pattern)) return undefined;
  return isCatastrophic(pattern) ? 'catastrophic' : undefined;
}

function isLegal(pattern: string): boolean {
  for (const flags of ['u', '']) {
    try {
      new RegExp(pattern, flags);
      return true;
    } catch {
      // Some that are legal are so without the flag only.
    }
  }
  return false;
}

function isCatastrophic(pattern: string): boolean {
  const literals = [...new Set(pattern.replace(/\\[a-zA-Z]/g, '').replace(/[\\^$.*+?()[\]{}|]/g, ''))].slice(0, 12);
  const pumps = [...new Set(['a', 'A', '0', ' ', '-', '_', 'a0', 'a ', 'a-', 'a.', ...literals])];
  const texts = pumps.map((pump) => `${pump.repeat(textLength).slice(0, textLength)}\u0000!`);
  const source = `{ const p = new RegExp(${JSON.stringify(pattern)}); for (const t of ${JSON.stringify(texts)}) p.test(t); }`;
  try {
    new Script(source).runInThisContext({ timeout: patienceMs });
    return false;
  } catch {
    return true;
  }
}
