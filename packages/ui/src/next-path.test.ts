import { expect, test } from 'vitest';
import { isPageOfServer, nextPath } from './next-path.ts';

test('a page of this site is kept', () => {
  expect(nextPath('/tools/echo?hub=default#try')).toBe('/tools/echo?hub=default#try');
});

test.each([
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  'tools',
  '/sign-in',
  '/Sign-In/?next=/sign-in',
  '/x/..//evil.example',
  '',
  undefined,
  ['/tools'],
])('%j leads to the dashboard', (wanted) => {
  expect(nextPath(wanted)).toBe('/');
});

test.each([
  ['/auth/consent/x', true],
  ['/ext/board/', true],
  ['/ext_service/grocy/x?y', true],
  ['/tools/ext', false],
  ['/', false],
])('whether the server shows %s', (path, isShown) => expect(isPageOfServer(path)).toBe(isShown));
