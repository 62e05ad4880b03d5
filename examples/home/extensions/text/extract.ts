import { createContext, Script } from 'node:vm';
import { RE2JS } from 're2js';

/** What is looked for: a regular expression in RE2 syntax, and what to take of each match. */
interface Search {
  readonly pattern: string;
  /** The group that is the answer; the whole match where left out. */
  readonly group?: number;
  /** Refuses what only looks right. */
  readonly keeps?: (match: string) => boolean;
}

/** What can be found without a pattern of one's own. */
export const kinds = {
  emails: { pattern: String.raw`[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+` },
  // A bracket belongs to the address only where it is closed again; a full stop or comma at the end does not.
  urls: {
    pattern: String.raw`(?i)https?://(?:\([^\s<>"'\x60()]*\)|[^\s<>"'\x60()])*(?:\([^\s<>"'\x60()]*\)|[^\s<>"'\x60.,;:!?()\]}])`,
  },
  // The "-" of "3-5" is no sign, and the digits of "B12" are no number.
  numbers: { pattern: String.raw`(?:^|[^\p{L}\p{N}_])([+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)`, group: 1 },
  dates: {
    pattern: String.raw`\b\d{4}-\d{2}-\d{2}(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b`,
    keeps: isOnCalendar,
  },
} satisfies Record<string, Search>;

/** How long a search may take, in milliseconds; its worker answers nothing else meanwhile. */
const searchLimitMs = 2_000;

/**
 * All matches, or what is wrong with the pattern. No pattern can hang it: RE2 never backtracks, so that one match takes
 * time in proportion to the text. All matches together may still take its square, which the limit of `vm` breaks off.
 */
export function findAll(text: string, search: Search): { matches: string[] } | { wrong: string } {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(search.pattern);
  } catch (thrown) {
    return {
      wrong: `The pattern is not a regular expression: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    };
  }
  const matches: string[] = [];
  const find = () => {
    const matcher = compiled.matcher(text);
    while (matcher.find()) {
      const match = matcher.group(search.group ?? 0);
      if (match && (search.keeps?.(match) ?? true)) matches.push(match);
    }
  };
  try {
    new Script('find()').runInContext(createContext({ find }), { timeout: searchLimitMs });
  } catch (thrown) {
    if (!isTimeout(thrown)) throw thrown;
    return {
      wrong: `The search took longer than ${searchLimitMs / 1000} seconds. Give a shorter text or a simpler pattern.`,
    };
  }
  return { matches };
}

/** False for the 30th of February: `Date` makes the 1st or 2nd of March of it. */
function isOnCalendar(date: string): boolean {
  const day = date.slice(0, 10);
  const parsed = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day);
}

/** `vm` throws an error of its own context, of which `instanceof Error` says no. */
function isTimeout(thrown: unknown): boolean {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
  return code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
