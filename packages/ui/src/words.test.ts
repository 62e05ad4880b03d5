import { expect, test } from 'vitest';
import { searchWords, toolFits } from './words.ts';

test('a tool is found by words of all that is said of it, in any order and case', () => {
  const tool = { name: 'text_hash', title: 'Hash', source: 'text', description: 'SHA-256 of a text.' };
  expect(toolFits(tool, searchWords('  sha-256 HASH '))).toBe(true);
  expect(toolFits(tool, searchWords('hash md5'))).toBe(false);
  expect(toolFits({ name: 'a', source: 's' }, searchWords(''))).toBe(true);
});
