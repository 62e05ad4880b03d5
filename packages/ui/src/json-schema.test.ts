import { expect, test } from 'vitest';
import { choicesOf, plainOf, typeText } from './json-schema.ts';

test.each([
  [{ type: 'string' }, 'string'],
  [{ type: ['string', 'null'] }, 'string | null'],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 'integer | null'],
  [{ enum: ['a', 2, null] }, '"a" | 2 | null'],
  [{ const: 'only' }, '"only"'],
  [{ type: 'array', items: { type: 'array', items: { type: 'number' } } }, 'list of list of number'],
  [{ type: 'array' }, 'list of anything'],
  [{ $ref: '#/$defs/Person' }, 'Person'],
  [{ type: 'object', properties: {} }, 'object'],
  [{}, 'anything'],
  [true, 'anything'],
  [null, 'anything'],
])('%j is told as %s', (schema, text) => {
  expect(typeText(schema)).toBe(text);
});

test.each([
  [
    { type: ['integer', 'null'], default: null },
    { type: 'integer', default: null },
  ],
  [
    { anyOf: [{ type: 'string', description: 'inner' }, { type: 'null' }], description: 'outer' },
    { type: 'string', description: 'outer' },
  ],
  [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, { anyOf: [{ type: 'string' }, { type: 'number' }] }],
  [{ type: ['string', 'number'] }, { type: ['string', 'number'] }],
  [true, {}],
])('%j without its null', (schema, plain) => {
  expect(plainOf(schema)).toEqual(plain);
});

test.each([
  [{ enum: ['a', 'b'] }, ['a', 'b']],
  [{ enum: [1, 2, null] }, [1, 2]],
  [{ oneOf: [{ const: 'x', title: 'X' }, { const: 'y' }] }, ['x', 'y']],
  [{ anyOf: [{ const: 'x' }, { type: 'string' }] }, []],
  [{ enum: [{ deep: true }] }, []],
  [{ enum: [1, '1'] }, []],
  [{ enum: ['', 'a'] }, []],
  [{ type: 'string' }, []],
])('the choices of %j are %j', (schema, choices) => {
  expect(choicesOf(schema)).toEqual(choices);
});
