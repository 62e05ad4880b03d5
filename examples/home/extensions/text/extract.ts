import { RE2JS } from 're2js';

/** What can be found without a pattern of one's own. */
export const kinds = {
  emails: String.raw`[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+`,
  urls: String.raw`https?://[^\s<>"'\x60]*[^\s<>"'\x60.,;:!?)\]}]`,
  numbers: String.raw`[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?`,
  dates: String.raw`\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b`,
} as const;

/**
 * All matches of a regular expression. The engine's time grows with the length of the text alone, so that no pattern
 * that a model thinks up can keep it busy for ever.
 */
export function findPattern(text: string, pattern: string): { matches: string[] } | { wrong: string } {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (thrown) {
    return {
      wrong: `The pattern is not a regular expression: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    };
  }
  const matcher = compiled.matcher(text);
  const matches: string[] = [];
  while (matcher.find()) {
    const match = matcher.group();
    if (match) matches.push(match);
  }
  return { matches };
}
