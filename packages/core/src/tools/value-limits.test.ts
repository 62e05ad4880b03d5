import { expect, test } from 'vitest';
import { cutBelow, overLimit } from './value-limits.ts';

const nested = (levels: number): unknown => JSON.parse(`${'{"a":['.repeat(levels / 2)}${']}'.repeat(levels / 2)}`);

test('levels are counted without calling itself', () => {
  expect(overLimit(nested(500), { depth: 500 })).toBeUndefined();
  expect(overLimit(nested(502), { depth: 500 })).toBe('depth');
  expect(overLimit(nested(200_000), { depth: 500 })).toBe('depth');
  expect([null, undefined, 7, 'x'].map((value) => overLimit(value, { depth: 0 }))).toEqual(Array(4).fill(undefined));
  expect([{}, []].map((value) => overLimit(value, { depth: 0 }))).toEqual(['depth', 'depth']);
});

test('parts and characters are counted, keys too', () => {
  expect(overLimit([1, [2, 3]], { depth: 9, parts: 4 })).toBeUndefined();
  expect(overLimit([1, [2, 3, 4]], { depth: 9, parts: 4 })).toBe('parts');
  expect(overLimit({ ab: 'cd' }, { depth: 9, characters: 4 })).toBeUndefined();
  expect(overLimit({ ab: 'cde' }, { depth: 9, characters: 4 })).toBe('characters');
});

test('what lies too deep is cut, and the rest is what it was', () => {
  const value = JSON.parse('{"__proto__":{"a":{"b":1}},"list":[1,[2,[3]]],"text":"x"}');
  expect(cutBelow(value, 4)).toBe(value);
  expect(JSON.stringify(cutBelow(value, 3))).toBe('{"__proto__":{"a":{}},"list":[1,[]],"text":"x"}');
  expect(JSON.stringify(cutBelow(value, 2))).toBe('{"__proto__":{},"list":[],"text":"x"}');
  expect(overLimit(cutBelow(nested(200_000), 100), { depth: 100 })).toBeUndefined();
  expect(overLimit(cutBelow(nested(200_000), 100), { depth: 99 })).toBe('depth');
});
