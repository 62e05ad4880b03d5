import { expect, test } from 'vitest';
import { isRemoteSource } from './extension-source.ts';

test.each([
  ['github:ada/notes', true],
  ['npm:@ada/notes', true],
  ['https://example.org/notes.git', true],
  ['git@example.org:notes', true],
  ['upload:notes.zip', false],
  ['local', false],
  [undefined, false],
])('%s can be fetched anew: %s', (source, expected) => {
  expect(isRemoteSource(source)).toBe(expected);
});
