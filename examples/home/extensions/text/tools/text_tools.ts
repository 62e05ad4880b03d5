import { createHash } from 'node:crypto';
import { defineTool } from '@luna/core/tools';
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { z } from 'zod';
import { findAll, kinds } from '../extract.ts';

const text = z.string().max(1_000_000);
const reads = { readOnlyHint: true, openWorldHint: false };

export const TOOLS = [
  defineTool({
    name: 'text_diff',
    description: 'Compares two texts line by line and returns a unified diff, or says that they are the same.',
    input: z.object({
      before: text,
      after: text,
      before_name: z.string().default('before'),
      after_name: z.string().default('after'),
      context: z.number().int().min(0).max(100).default(3).describe('Unchanged lines around each change.'),
    }),
    annotations: reads,
    handler: ({ before, after, before_name, after_name, context }) => {
      if (before === after) return 'The texts are the same.';
      // A comparison of texts with nothing in common could take minutes.
      const patch = createTwoFilesPatch(before_name, after_name, before, after, undefined, undefined, {
        context,
        headerOptions: FILE_HEADERS_ONLY,
        timeout: 5_000,
      });
      return patch ?? [false, 'The texts differ too much to be compared within 5 seconds.'];
    },
  }),
  defineTool({
    name: 'text_hash',
    description: 'The digest of a text in UTF-8.',
    input: z.object({
      text,
      algorithm: z.enum(['md5', 'sha1', 'sha256', 'sha512']).default('sha256'),
      encoding: z.enum(['hex', 'base64', 'base64url']).default('hex'),
    }),
    annotations: reads,
    examples: [{ prompt: 'What is the SHA-256 of "hello"?', args: { text: 'hello' } }],
    handler: ({ text: given, algorithm, encoding }) => createHash(algorithm).update(given, 'utf8').digest(encoding),
  }),
  defineTool({
    name: 'text_count',
    description:
      'Counts characters (as people see them), words, sentences, lines and bytes (UTF-8) of a text. A line break at the end begins no further line.',
    input: z.object({ text, locale: z.string().default('en').describe('The language of the text, for example "de".') }),
    output: z.object({
      characters: z.number(),
      words: z.number(),
      sentences: z.number(),
      lines: z.number(),
      bytes: z.number(),
    }),
    annotations: reads,
    handler: ({ text: given, locale }) => {
      if (!isLocale(locale)) return [false, `"${locale}" is not a language tag. Use for example "en" or "pt-BR".`];
      return {
        characters: countSegments(given, new Intl.Segmenter(locale, { granularity: 'grapheme' })),
        words: countSegments(given, new Intl.Segmenter(locale, { granularity: 'word' }), (part) => part.isWordLike),
        sentences: countSegments(given, new Intl.Segmenter(locale, { granularity: 'sentence' }), hasInk),
        lines: countLines(given),
        bytes: Buffer.byteLength(given, 'utf8'),
      };
    },
  }),
  defineTool({
    name: 'text_extract',
    description:
      'Finds e-mail addresses, URLs, numbers (without thousands separators) or dates (YYYY-MM-DD, with or without a time) in a text, or whatever a regular expression (RE2 syntax) matches.',
    input: z.object({
      text,
      kind: z.enum(['emails', 'urls', 'numbers', 'dates', 'pattern']),
      pattern: z.string().max(1_000).optional().describe('The regular expression, for the kind "pattern".'),
      unique: z.boolean().default(true).describe('Leave out repetitions.'),
      limit: z.number().int().min(1).max(10_000).default(1_000),
    }),
    output: z.object({ total: z.number(), matches: z.array(z.string()) }),
    annotations: reads,
    handler: ({ text: given, kind, pattern, unique, limit }) => {
      const search = kind === 'pattern' ? pattern && { pattern } : kinds[kind];
      if (!search) return [false, 'The kind "pattern" needs a "pattern".'];
      const found = findAll(given, search);
      if ('wrong' in found) return [false, found.wrong];
      const matches = unique ? [...new Set(found.matches)] : found.matches;
      return { total: matches.length, matches: matches.slice(0, limit) };
    },
  }),
];

/** Counts without keeping the segments: of a long text they would take a few hundred megabytes. */
function countSegments(
  text: string,
  segmenter: Intl.Segmenter,
  counts: (segment: Intl.SegmentData) => boolean | undefined = () => true,
): number {
  let count = 0;
  for (const segment of segmenter.segment(text)) if (counts(segment)) count += 1;
  return count;
}

function hasInk({ segment }: Intl.SegmentData): boolean {
  return segment.trim() !== '';
}

function countLines(text: string): number {
  const breaks = text.match(/\r\n|\r|\n/g)?.length ?? 0;
  return text === '' || /[\r\n]$/.test(text) ? breaks : breaks + 1;
}

function isLocale(locale: string): boolean {
  try {
    return Intl.Segmenter.supportedLocalesOf(locale).length >= 0;
  } catch {
    // A RangeError: the tag is not well formed.
    return false;
  }
}
