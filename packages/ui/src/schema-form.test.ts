import { expect, test } from 'vitest';
import { argumentsOf, fieldsOf, initialValues } from './schema-form.ts';

const schema = {
  type: 'object',
  required: ['text', 'count', 'list'],
  properties: {
    text: { type: 'string', description: 'Any text' },
    count: { type: 'integer', default: 3 },
    ratio: { type: 'number' },
    loud: { type: 'boolean', default: true },
    mode: { enum: ['a', 'b'], default: 'b' },
    list: { type: 'array', items: { type: 'number' } },
    odd: true,
  },
};

test('a field per property, with its kind, default and mark', () => {
  const fields = fieldsOf(schema);
  expect(fields.map(({ name, kind, required, initial }) => [name, kind, required, initial])).toEqual([
    ['text', 'text', true, ''],
    ['count', 'integer', true, '3'],
    ['ratio', 'number', false, ''],
    ['loud', 'boolean', false, true],
    ['mode', 'choice', false, 'b'],
    ['list', 'json', true, ''],
    ['odd', 'json', false, ''],
  ]);
  expect(fieldsOf({})).toEqual([]);
  expect(fieldsOf({ properties: 'no' })).toEqual([]);
});

test('values become arguments; empty optional ones are left out, an empty required text is a text', () => {
  const fields = fieldsOf(schema);
  const values = { ...initialValues(fields), list: '[1,2]', ratio: '0.5' };
  expect(argumentsOf(fields, values)).toEqual({
    args: { text: '', count: 3, ratio: 0.5, loud: true, mode: 'b', list: [1, 2] },
  });
});

test.each([
  [{ count: '1.5', list: '[]' }, '“count” is not a whole number.'],
  [{ count: 'x', list: '[]' }, '“count” is not a number.'],
  [{ count: '', list: '[]' }, '“count” is missing.'],
  [{ list: '[' }, '“list” is not valid JSON.'],
  [{}, '“list” is missing.'],
])('%j is told to be wrong', (wrong, message) => {
  const fields = fieldsOf(schema);
  expect(argumentsOf(fields, { ...initialValues(fields), ...wrong })).toEqual({ wrong: message });
});

test('what may be left open has three states, and null means not given', () => {
  const fields = fieldsOf({
    properties: {
      deep: { type: 'boolean' },
      level: { enum: [1, 2, 3] },
      name: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null },
    },
  });
  expect(fields.map(({ kind, initial }) => [kind, initial])).toEqual([
    ['choice', ''],
    ['choice', ''],
    ['text', ''],
  ]);
  expect(argumentsOf(fields, initialValues(fields))).toEqual({ args: {} });
  expect(argumentsOf(fields, { deep: 'false', level: '2', name: 'x' })).toEqual({
    args: { deep: false, level: 2, name: 'x' },
  });
  expect(argumentsOf(fields, { level: '4' })).toEqual({ wrong: '“level” cannot be 4.' });
});
