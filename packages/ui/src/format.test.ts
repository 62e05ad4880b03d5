import { expect, test } from 'vitest';
import { counted, durationText, sizeText } from './format.ts';

test.each([
  [0.42, '0.4 ms'],
  [12.7, '13 ms'],
  [1_000, '1 s'],
  [12_400, '12.4 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
  [349_200_000, '4 d 1 h'],
])('%d ms is %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('one is singular', () => {
  expect([0, 1, 2].map((number) => counted(number, 'tool'))).toEqual(['0 tools', '1 tool', '2 tools']);
});

test.each([
  [1, '1 byte'],
  [999, '999 bytes'],
  [12_300, '12 kB'],
  [3_400_000, '3.4 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
