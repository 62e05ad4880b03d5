import { expect, test } from 'vitest';
import { fillForm, formFieldSchema, openValues, secretTexts } from './form.ts';

const fields = [
  { name: 'port', type: 'port', default: 5432 },
  { name: 'word', type: 'password', label: 'Word' },
  { name: 'size', type: 'number', min: 1, max: 9, required: false },
  { name: 'kind', type: 'select', options: ['a', { value: 'b', label: 'B' }], default: 'a' },
  { name: 'on', type: 'checkbox' },
  { name: 'user', plain: true, default: 'luna' },
  { name: 'notes', type: 'textarea', required: false },
].map((field) => formFieldSchema.parse(field));

const fill = (given: unknown, before = {}) => fillForm(fields, given, before);

test('what is given is completed by what was there before, then by defaults', () => {
  expect(fill({ word: 'long enough', on: 'true', size: '4' }, { port: 1234, user: 'ada' })).toEqual({
    port: 1234,
    word: 'long enough',
    size: 4,
    kind: 'a',
    on: true,
    user: 'ada',
  });
});

test.each([
  ['no object', [], 'are an object'],
  ['a text', 'x', 'are an object'],
  ['a setting that there is not', { word: '12345678', colour: 1 }, 'no setting "colour". There are: "port"'],
  ['nothing where something is needed', {}, '"word" (Word) does not fit: it is needed'],
  ['a secret that is too short', { word: 'short' }, 'at least 8'],
  ['a port that is none', { word: '12345678', port: 70_000 }, 'more than 65535'],
  ['a port in two halves', { word: '12345678', port: 1.5 }, 'whole number'],
  ['a text as number', { word: '12345678', size: '4 tons' }, 'give a number'],
  ['a number that is too large', { word: '12345678', size: 10 }, 'more than 9'],
  ['an option that there is not', { word: '12345678', kind: 'c' }, 'choose one of "a", "b"'],
  ['a checkbox that is neither', { word: '12345678', on: 'perhaps' }, 'true or false'],
  ['a space where none may be', { word: '12345678', user: 'a b' }, 'only letters'],
  ['a line break in one line', { word: '1234\n5678' }, 'line break'],
  ['a NUL', { word: '12345678\0' }, 'NUL'],
  ['an object as text', { word: { a: 1 } }, 'give a text'],
  ['far too much', { word: 'x'.repeat(20_000) }, 'longer than'],
])('%s is refused', (_what, given, words) => {
  expect(() => fill(given)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  expect(() => fill(given)).toThrow(words);
});

test('an error never holds the value of a secret', () => {
  for (const word of ['short-1', 'line\nbreak-2', 'nul\0byte-3'])
    expect(() => fill({ word })).toThrow(expect.not.objectContaining({ message: expect.stringContaining(word) }));
});

test('keys that every object has are no settings', () => {
  expect(() => fill(JSON.parse('{"__proto__": {"x": 1}, "word": "12345678"}'))).toThrow('no setting "__proto__"');
  expect(() => fill({ constructor: 1, word: '12345678' })).toThrow('no setting "constructor"');
});

test('a secret that is left empty is made where the form says so', () => {
  const made = formFieldSchema.parse({ name: 'key', type: 'password', generate: true, required: false });
  const [one, other] = [fillForm([made], {}), fillForm([made], { key: '' })];
  expect(one.key).toMatch(/^[\w-]{32}$/);
  expect(one.key).not.toBe(other.key);
});

test('secrets are kept apart from the rest', () => {
  const values = fill({ word: 'with space\u0020and "', notes: 'x' });
  expect(openValues(fields, values)).toEqual({ port: 5432, kind: 'a', on: false, user: 'luna', notes: 'x' });
  expect(secretTexts(fields, values)).toContain('with%20space%20and%20%22');
});
