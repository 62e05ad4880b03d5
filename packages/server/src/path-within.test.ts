import { expect, test } from 'vitest';
import { pathWithin } from './path-within.ts';

test.each([
  ['/luna', '/'],
  ['/luna/', '/'],
  ['/luna?next=1', '/?next=1'],
  ['/luna/api/mcp?a=/luna', '/api/mcp?a=/luna'],
  ['/luna/luna/x', '/luna/x'],
  ['/.well-known/oauth-authorization-server/luna', '/.well-known/oauth-authorization-server'],
  ['/.well-known/openid-configuration/luna?x', '/.well-known/openid-configuration?x'],
  ['/.well-known/oauth-protected-resource/luna/api/mcp', '/.well-known/oauth-protected-resource/api/mcp'],
  ['/luna/.well-known/oauth-protected-resource/api/mcp', '/.well-known/oauth-protected-resource/api/mcp'],
  // What can be read in two ways is refused afterwards, as it would have been before.
  ['/luna//x', '//x'],
  ['/luna/../x', '/../x'],
])('%s is %s within', (target, within) => expect(pathWithin(target, '/luna')).toBe(within));

test.each([
  '/',
  '/lunatic',
  '/lunatic/api',
  '/Luna/api',
  '/%6cuna/api',
  '/luna%2fapi',
  '/luna\\api',
  '/luna#x',
  '/luna;x/api',
  '//luna/api',
  '/./luna/api',
  '/x/luna',
  '/.well-known/oauth-authorization-server',
  '/.well-known/oauth-authorization-server/lunatic',
  '/.well-known/acme-challenge/luna',
  '*',
  'http://example.org/luna/',
  '',
])('%j does not begin with the base', (target) => expect(pathWithin(target, '/luna')).toBeUndefined());

test('a base of several segments', () => {
  expect(pathWithin('/home/luna/api', '/home/luna')).toBe('/api');
  expect(pathWithin('/home/api', '/home/luna')).toBeUndefined();
});
