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
  ['a block of an unknown kind', { content: [{ type: 'hologram', n: 1 }] }, { content: [{ type: 'hologram', n: 1 }] }],
  ['no content', { content: [] }, { content: [] }],
  [
    'content that is no list',
    { content: 'x' },
    { content: text('{"content":"x"}'), structuredContent: { content: 'x' } },
  ],
  ['an empty text', '', { content: text('') }],
  ['false', false, { content: text('false') }],
  ['a list of a flag and more', [true, 1, 2], { content: text('[true,1,2]') }],
  ['a pair of flags', [false, true], { content: text('true'), isError: true }],
  ['a failure without a word', [false, undefined], { content: [], isError: true }],
  ['a failed full result', [false, { content: text('x') }], { content: text('x'), isError: true }],
  // Both texts are what a client gets: structured content has to be the same JSON.
  ['a date', new Date(0), { content: text('"1970-01-01T00:00:00.000Z"') }],
  [
    'an object with more than JSON',
    { when: new Date(0), none: undefined, run: () => 1 },
    {
      content: text('{"when":"1970-01-01T00:00:00.000Z"}'),
      structuredContent: { when: '1970-01-01T00:00:00.000Z' },
    },
  ],
])('%s', (_name, returned, result) => {
  expect(toToolResult(returned)).toStrictEqual(result);
});

test('what is not JSON is a failure that says so', () => {
  expect(toToolResult(() => 1)).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining('function') }],
  });
});

test.each([[Symbol('x')], [{ n: 1n }]])('%o is refused in words', (returned) => {
  const outcome = () => toToolResult(returned);
  if (typeof returned === 'symbol') expect(outcome()).toMatchObject({ isError: true });
  else expect(outcome).toThrow('BigInt');
});
