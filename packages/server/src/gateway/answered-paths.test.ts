import { describe, expect, test } from 'vitest';
import { type ShownAt, shownCookie, shownLocation } from './answered-paths.ts';

const board: ShownAt = {
  basePath: '',
  prefix: '/ext/board',
  stripPrefix: true,
  origin: 'http://127.0.0.1:5200',
  host: 'example.org',
};
const below: ShownAt = { ...board, basePath: '/luna' };

describe.each([
  ['at the root', board, ''],
  ['below a path', below, '/luna'],
])('%s', (_where, at, base) => {
  test.each([
    ['/login?next=%2Fx#top', '/ext/board/login?next=%2Fx#top'],
    ['/', '/ext/board/'],
    ['/ext/board/login', '/ext/board/login'],
    ['/ext/other/', '/ext/other/'],
    ['/api/board/items', '/api/board/items'],
    ['/auth/login', '/auth/login'],
    ['http://127.0.0.1:5200/login', '/ext/board/login'],
  ])('%s leads to %s', (location, shown) => expect(shownLocation(location, at)).toBe(base + shown));

  test('an address by the name that was asked for keeps that name', () => {
    expect(shownLocation('https://example.org/login', at)).toBe(`https://example.org${base}/ext/board/login`);
  });

  test.each([
    'next',
    '../up',
    '?page=2',
    '',
    'https://elsewhere.example/x',
    '//elsewhere.example/x',
    'mailto:a@b.c',
    '/\\elsewhere.example',
  ])('%j stays', (location) => expect(shownLocation(location, at)).toBe(location));

  test('a program that keeps the prefix names paths of Luna', () => {
    const keeping = { ...at, stripPrefix: false };
    expect(shownLocation('/ext/board/x', keeping)).toBe(`${base}/ext/board/x`);
    expect(shownLocation('/tools', keeping)).toBe(`${base}/tools`);
  });
});

test('a path that has the base already gets no second one', () => {
  expect(shownLocation('/luna/ext/board/x', below)).toBe('/luna/ext/board/x');
  expect(shownLocation('/lunatic', below)).toBe('/luna/ext/board/lunatic');
});

test.each([
  ['a=1; Path=/; HttpOnly', 'a=1; Path=/luna; HttpOnly'],
  ['a=1; path=/ext/board', 'a=1; path=/luna/ext/board'],
  ['a=1; Path=/luna/ext/board; Secure', 'a=1; Path=/luna/ext/board; Secure'],
  ['a=1', 'a=1'],
  ['__Host-a=1; Secure; Path=/', '__Host-a=1; Secure; Path=/'],
])('the cookie %j', (cookie, shown) => {
  expect(shownCookie(cookie, below)).toBe(shown);
  expect(shownCookie(cookie, board)).toBe(cookie);
});
