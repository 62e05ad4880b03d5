import { expect, test } from 'vitest';
import { nextPath } from './next-path.ts';

test.each(['/', '/tools?x=1#y', '/auth/consent/abc'])('%s is a page of this Luna', (path) => {
  expect(nextPath(path)).toBe(path);
});

test.each([
  undefined,
  '',
  7,
  ['/tools'],
  'tools',
  '//evil.example',
  '/\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/a\\..\\..',
  '/..//evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  '/sign-in?next=/sign-in',
  '/auth/login',
])('%j leads to the dashboard', (wanted) => {
  expect(nextPath(wanted)).toBe('/');
});
