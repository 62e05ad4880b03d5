import { expect, test } from 'vitest';
import { pairsOf, wordsOf } from './server-form.ts';

test.each([
  ['npx -y server', ['npx', '-y', 'server']],
  ['  run   "two words" \'and "these"\' ', ['run', 'two words', 'and "these"']],
  ['a --path="/x y/z" $HOME', ['a', '--path=/x y/z', '$HOME']],
  ['', []],
])('the words of %j', (line, words) => {
  expect(wordsOf(line)).toEqual(words);
});

test('pairs are split at the first separator', () => {
  expect(pairsOf('Authorization: Bearer a:b\n\nX-Two:2\nnone', ':')).toEqual({
    Authorization: 'Bearer a:b',
    'X-Two': '2',
  });
  expect(pairsOf('A=b=c', '=')).toEqual({ A: 'b=c' });
  expect(pairsOf('  ', '=')).toBeUndefined();
});
