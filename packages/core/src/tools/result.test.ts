import { expect, test } from 'vitest';
import { toToolResult } from './result.ts';

const text = (value: string) => [{ type: 'text', text: value }];

test.each([
  ['a text', 'hello', { content: text('hello') }],
  ['a number', 7, { content: text('7') }],
  ['a list', [1, 2, 3], { content: text('[1,2,3]') }],
  ['an object', { a: 1 }, { content: text('{"a":1}'), structuredContent: { a: 1 } }],
  ['nothing', undefined, { content: [] }],
  ['null', null, { content: [] }],
  ['a success', [true, 'well'], { content: text('well') }],
  [
    'a failure',
    [false, { why: 'x' }],
    { content: text('{"why":"x"}'), structuredContent: { why: 'x' }, isError: true },
  ],
  ['a full result', { content: text('x'), _meta: { odd: 1 } }, { content: text('x'), _meta: { odd: 1 } }],
  [
    'an object that only looks like one',
    { content: [1] },
    { content: text('{"content":[1]}'), structuredContent: { content: [1] } },
  ],
])('%s', (_name, returned, result) => {
  expect(toToolResult(returned)).toEqual(result);
});

test('what is not JSON is a failure that says so', () => {
  expect(toToolResult(() => 1)).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining('function') }],
  });
});
