import { expect, test } from 'vitest';
import { restAfter } from './followed-log.ts';

test.each([
  ['', 'a\n', 'a\n'],
  ['a\n', '', ''],
  ['a\nb\n', 'b\nc\n', 'c\n'],
  ['a\nb\n', 'b\n', ''],
  ['one half\n', 'half\nnext\n', 'next\n'],
  ['a\n', 'b\n', 'b\n'],
])('after %j, of %j only %j is new', (former, later, rest) => {
  expect(restAfter(former, later)).toBe(rest);
});
