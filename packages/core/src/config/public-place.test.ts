import { expect, test } from 'vitest';
import { publicDomainProblem, publicPathOf, publicUrlProblem, tidyPublicUrl } from './public-place.ts';

test.each([
  ['https://luna.example.com', 'https://luna.example.com', ''],
  ['https://luna.example.com/', 'https://luna.example.com', ''],
  ['HTTPS://Luna.Example.com:443/Luna/', 'https://luna.example.com/Luna', '/Luna'],
  ['http://127.0.0.1:8080/a/b.c/~d_e-f', 'http://127.0.0.1:8080/a/b.c/~d_e-f', '/a/b.c/~d_e-f'],
  ['http://[::1]:8080/luna', 'http://[::1]:8080/luna', '/luna'],
  ['https://example.org/apis', 'https://example.org/apis', '/apis'],
])('%s is an address', (given, tidy, path) => {
  expect(publicUrlProblem(given)).toBeUndefined();
  expect(tidyPublicUrl(given)).toBe(tidy);
  expect(publicPathOf(tidy)).toBe(path);
});

test.each([
  '',
  'example.org/luna',
  'ftp://example.org/luna',
  'https://',
  'https:///luna',
  'https://me@example.org/luna',
  'https://me:secret@example.org',
  'https://exa mple.org',
])('%j is none', (given) => expect(publicUrlProblem(given)).toContain('must be an address'));

test.each([
  ['https://example.org/luna?x=1', 'no "?"'],
  ['https://example.org?x', 'no "?"'],
  ['https://example.org/luna#x', 'no "?"'],
  ['https://example.org/luna/../x', 'between the slashes'],
  ['https://example.org/./luna', 'between the slashes'],
  ['https://example.org\\luna', 'between the slashes'],
  ['https://example.org//luna', 'between the slashes'],
  ['https://example.org/luna//', 'between the slashes'],
  ['https://example.org/lu%6ea', 'between the slashes'],
  ['https://example.org/{luna}', 'between the slashes'],
  ['https://example.org/lüna', 'between the slashes'],
  ['https://example.org/api', '"/api" is one of'],
  ['https://example.org/API/luna', '"/api" is one of'],
  ['https://example.org/.well-known', '"/.well-known" is one of'],
  [`https://example.org/${'x'.repeat(300)}`, 'at most 200'],
])('%s is refused in words', (given, words) => expect(publicUrlProblem(given)).toContain(words));

test.each([
  ['luna.example.com', undefined],
  ['luna.example.com:8443', undefined],
  ['example.org/luna/', undefined],
  ['https://luna.example.com', 'without https://'],
  ['example.org/a b', 'must be a name such as'],
  ['example.org/../b', 'between the slashes'],
  ['example.org/auth', 'one of Luna'],
])('the domain %s', (given, words) => {
  const problem = publicDomainProblem(given);
  if (words === undefined) expect(problem).toBeUndefined();
  else expect(problem).toContain(words);
});
