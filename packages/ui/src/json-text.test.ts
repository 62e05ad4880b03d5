import { expect, test } from 'vitest';
import { indented, readArguments } from './json-text.ts';

test('objects and lists get line breaks, other text stays as it is', () => {
  expect(indented('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(indented('[1]')).toBe('[\n  1\n]');
  for (const text of ['', '5', 'plain', '{"a":1… (9 characters)', '[resource x]']) expect(indented(text)).toBe(text);
});

test('arguments are a JSON object, or nothing', () => {
  expect(readArguments(' ')).toEqual({ args: {} });
  expect(readArguments('{"a":[1]}')).toEqual({ args: { a: [1] } });
  for (const text of ['[]', '5', 'null', '"a"'])
    expect(readArguments(text), text).toEqual({ wrong: expect.stringContaining('JSON object') });
  expect(readArguments('{"a":')).toEqual({ wrong: expect.stringContaining('not valid JSON') });
});
